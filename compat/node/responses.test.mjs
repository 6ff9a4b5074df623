// The Responses API of OpenAI's SDK, against a provider that speaks it (`fake`) and against others.

import assert from "node:assert/strict";
import test from "node:test";
import OpenAI from "openai";
import { lastReceived, modelAt, openai, script } from "./provider.mjs";

const ALL = ["fake", "anthropic", "gemini", "bedrock", "cohere", "ollama"];
const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false };
const tools = [{ type: "function", name: "weather", parameters, strict: false }];

for (const provider of ALL) {
  test(`responses of ${provider} whole and streamed`, async (context) => {
    const { model } = modelAt(context, provider);
    const whole = await openai.responses.create({ model, input: "hello there" });
    assert.equal(whole.output_text, "You said: hello there");
    const pieces = [];
    const stream = openai.responses.stream({ model, input: "hello there" });
    stream.on("response.output_text.delta", (event) => pieces.push(event.delta));
    const last = await stream.finalResponse();
    assert.equal(pieces.join(""), "You said: hello there");
    assert.deepEqual([last.status, last.usage.total_tokens], ["completed", whole.usage.total_tokens]);
  });

  test(`a tool of a response of ${provider} and its result by id`, async (context) => {
    const { model, upstream } = modelAt(context, provider);
    await script(upstream, { tools: [{ id: "call_paris", name: "weather", arguments: { city: "Paris" } }], times: 1 });
    const asked = await openai.responses.create({ model, input: "weather?", tools });
    const call = asked.output.find((item) => item.type === "function_call");
    assert.deepEqual(JSON.parse(call.arguments), { city: "Paris" });
    const input = [{ type: "function_call_output", call_id: call.call_id, output: "it rains" }];
    const told = await openai.responses.create({ model, input, tools, previous_response_id: asked.id });
    assert.equal(told.status, "completed");
    assert.match((await lastReceived(upstream)).body, /it rains/);
  });
}

test("a kept response is read and forgotten", async (context) => {
  const { model } = modelAt(context, "anthropic");
  const { id } = await openai.responses.create({ model, input: "hello there" });
  assert.equal((await openai.responses.retrieve(id)).output_text, "You said: hello there");
  await openai.responses.delete(id);
  await assert.rejects(openai.responses.retrieve(id), OpenAI.NotFoundError);
});

test("a failed response has its class", async (context) => {
  const { model, upstream } = modelAt(context, "cohere");
  await script(upstream, { status: 429, error: "slow down" });
  await assert.rejects(openai.responses.create({ model, input: "hello" }), OpenAI.RateLimitError);
});
