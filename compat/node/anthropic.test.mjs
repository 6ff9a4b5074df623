// Anthropic's SDK against upstreams of other formats.

import assert from "node:assert/strict";
import test from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { awaitEnding, claude, lastReceived, modelAt, script, user } from "./provider.mjs";

const OTHERS = ["fake", "anthropic", "gemini", "bedrock", "cohere", "ollama"];
const tools = [{ name: "weather", input_schema: { type: "object", properties: { city: { type: "string" } } } }];

for (const provider of OTHERS) {
  test(`messages of ${provider} whole and streamed`, async (context) => {
    const { model } = modelAt(context, provider);
    const request = { model, max_tokens: 100, messages: user("hello there") };
    const whole = await claude.messages.create(request);
    assert.equal(whole.content[0].text, "You said: hello there");
    const pieces = [];
    const stream = claude.messages.stream(request).on("text", (piece) => pieces.push(piece));
    const streamed = await stream.finalMessage();
    assert.deepEqual(streamed.content.map((block) => block.text), ["You said: hello there"]);
    assert.ok(pieces.length > 2);
    assert.deepEqual([streamed.stop_reason, streamed.usage.output_tokens], ["end_turn", whole.usage.output_tokens]);
  });

  test(`a tool of ${provider} and its result`, async (context) => {
    const { model, upstream } = modelAt(context, provider);
    await script(upstream, { tools: [{ id: "call_paris", name: "weather", arguments: { city: "Paris" } }], times: 1 });
    const request = { model, max_tokens: 100, tools };
    const asked = await claude.messages.stream({ ...request, messages: user("weather?") }).finalMessage();
    const use = asked.content.find((block) => block.type === "tool_use");
    assert.deepEqual([asked.stop_reason, use.name, use.input], ["tool_use", "weather", { city: "Paris" }]);
    const result = { type: "tool_result", tool_use_id: use.id, content: "it rains" };
    const history = [...user("weather?"), { role: "assistant", content: asked.content }];
    await claude.messages.create({ ...request, messages: [...history, { role: "user", content: [result] }] });
    assert.match((await lastReceived(upstream)).body, /it rains/);
  });
}

test("a failure has its class", async (context) => {
  const { model, upstream } = modelAt(context, "gemini");
  await script(upstream, { status: 429, error: "slow down" });
  const call = claude.messages.create({ model, max_tokens: 100, messages: user("hello") });
  await assert.rejects(call, (error) => error instanceof Anthropic.RateLimitError && /slow down/.test(error.message));
});

test("tokens are counted", async (context) => {
  const { model } = modelAt(context, "ollama");
  const counted = await claude.messages.countTokens({ model, messages: user("hello there") });
  assert.ok(counted.input_tokens > 0);
});

test("aborting a message stream stops the upstream", async (context) => {
  const { model, upstream } = modelAt(context, "fake");
  await script(upstream, { never_end: true });
  const stream = claude.messages.stream({ model, max_tokens: 100, messages: user("hello") });
  await new Promise((resolve) => stream.once("text", resolve));
  stream.abort();
  await assert.rejects(stream.done(), Anthropic.APIUserAbortError);
  await awaitEnding(upstream, "client_gone", 2000);
});
