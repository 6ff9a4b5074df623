// Errors, broken streams, and callers that leave.

import assert from "node:assert/strict";
import test from "node:test";
import OpenAI from "openai";
import { awaitEnding, modelOf, openai, read, script, stranger, user } from "./provider.mjs";

const ask = (model, more) => openai.chat.completions.create({ model, messages: user("hello"), ...more });

test("a wrong key is refused", async (context) => {
  const { model } = modelOf(context);
  const call = stranger.chat.completions.create({ model, messages: user("hello") });
  await assert.rejects(call, OpenAI.AuthenticationError);
});

test("an unknown model is told which there are", async () => {
  await assert.rejects(ask("gpt-nobody"), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.match(error.message, /gpt-nobody.*priced/s);
    return true;
  });
});

test("a rate limit says when to try again", async (context) => {
  const { model, upstream } = modelOf(context);
  await script(upstream, { status: 429, error: "slow down", headers: { "retry-after": "7" } });
  await assert.rejects(ask(model), (error) => {
    assert.ok(error instanceof OpenAI.RateLimitError);
    assert.equal(error.headers.get("llm_provider-retry-after"), "7");
    return true;
  });
});

for (const [status, kind] of [[404, OpenAI.NotFoundError], [500, OpenAI.InternalServerError]]) {
  test(`status ${status} of the upstream`, async (context) => {
    const { model, upstream } = modelOf(context);
    await script(upstream, { status, error: "the house is on fire" });
    await assert.rejects(ask(model), (error) => error instanceof kind && /the house is on fire/.test(error.message));
  });
}

test("a stream that breaks off throws", async (context) => {
  const { model, upstream } = modelOf(context);
  await script(upstream, { chunks: ["one ", "two ", "three"], chunk_ms: 20, cut_after_chunks: 2 });
  const stream = await ask(model, { stream: true });
  await assert.rejects(read(stream), OpenAI.APIError);
});

test("aborting a stream stops the upstream", async (context) => {
  const { model, upstream } = modelOf(context);
  await script(upstream, { never_end: true });
  const abort = new AbortController();
  const stream = await openai.chat.completions.create(
    { model, messages: user("hello"), stream: true },
    { signal: abort.signal },
  );
  let chunks = 0;
  for await (const _ of stream) if (++chunks === 3) abort.abort();
  assert.ok(chunks >= 3);
  await awaitEnding(upstream, "client_gone", 2000);
});

test("leaving the loop stops the upstream", async (context) => {
  const { model, upstream } = modelOf(context);
  await script(upstream, { never_end: true });
  for await (const _ of await ask(model, { stream: true })) break;
  await awaitEnding(upstream, "client_gone", 2000);
});

test("a timeout of the caller stops the upstream", async (context) => {
  const { model, upstream } = modelOf(context);
  await script(upstream, { delay_ms: 20_000 });
  const call = openai.chat.completions.create({ model, messages: user("hello") }, { timeout: 500 });
  await assert.rejects(call, OpenAI.APIConnectionTimeoutError);
  await awaitEnding(upstream, "client_gone", 2000);
});
