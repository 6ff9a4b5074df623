// The fake provider and the clients under test, as a test sees them. Each test has a model of its own.

import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import OpenAI, { AzureOpenAI } from "openai";

const { TOLLGATE_URL, TOLLGATE_KEY, FAKE_PROVIDER_URL } = process.env;

export const openai = new OpenAI({ baseURL: `${TOLLGATE_URL}/v1`, apiKey: TOLLGATE_KEY, maxRetries: 0, timeout: 20_000 });

export const stranger = new OpenAI({ baseURL: `${TOLLGATE_URL}/v1`, apiKey: "sk-not-the-key", maxRetries: 0 });

export const azure = new AzureOpenAI({
  endpoint: TOLLGATE_URL,
  apiKey: TOLLGATE_KEY,
  apiVersion: "2023-07-01-preview",
  maxRetries: 0,
  timeout: 20_000,
});

export const claude = new Anthropic({ baseURL: TOLLGATE_URL, apiKey: TOLLGATE_KEY, maxRetries: 0, timeout: 20_000 });

export const google = new GoogleGenAI({ apiKey: TOLLGATE_KEY, httpOptions: { baseUrl: TOLLGATE_URL, timeout: 20_000 } });

export const user = (content) => [{ role: "user", content }];

/** The upstream's name of a test's model, and the name callers use for it. */
export function modelOf(context) {
  const upstream = `node-${context.name.toLowerCase().replace(/[^a-z0-9]+/g, "-")}`;
  return { upstream, model: `fake/${upstream}` };
}

/** The same at a provider that speaks another format: `anthropic`, `gemini`, `bedrock`, `cohere` or `ollama`. */
export function modelAt(context, provider) {
  const upstream = `${FAMILIES[provider] ?? ""}${modelOf(context).upstream}-${provider}`;
  return { upstream, model: `${provider}/${upstream}` };
}

/** How the names of models begin that can do everything a test asks for. */
const FAMILIES = {
  anthropic: "claude-sonnet-4-5-",
  gemini: "gemini-2.5-flash-",
  bedrock: "anthropic.claude-sonnet-4-5-",
  cohere: "command-a-reasoning-",
};

/** Sets how a model answers. */
export async function script(upstream, fields) {
  const url = `${FAKE_PROVIDER_URL}/_fake/scripts/${encodeURIComponent(upstream)}`;
  const reply = await fetch(url, { method: "PUT", body: JSON.stringify(fields) });
  assert.equal(reply.status, 200, await reply.text());
}

/** The last request for a model; its `json` is the body. */
export async function lastReceived(upstream) {
  const reply = await fetch(`${FAKE_PROVIDER_URL}/_fake/requests?model=${encodeURIComponent(upstream)}`);
  const last = (await reply.json()).at(-1);
  assert.ok(last, `nothing reached the upstream for ${upstream}`);
  return { ...last, json: JSON.parse(last.body) };
}

/** Waits until the last exchange of a model ended like that; throws after `milliseconds`. */
export async function awaitEnding(upstream, ending, milliseconds) {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    const seen = (await lastReceived(upstream)).ending;
    if (seen === ending) return;
    assert.ok(Date.now() < deadline, `the upstream still sees \`${seen}\` after ${milliseconds} ms`);
    await pause(20);
  }
}

/** All chunks of a stream, and the text they make. */
export async function read(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  const pieces = chunks.flatMap((chunk) => chunk.choices).map((choice) => choice.delta.content ?? "");
  return { chunks, text: pieces.join("") };
}
