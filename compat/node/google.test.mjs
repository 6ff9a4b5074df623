// Google's SDK against upstreams of other formats.

import assert from "node:assert/strict";
import test from "node:test";
import { google, lastReceived, modelAt, script } from "./provider.mjs";

const OTHERS = ["fake", "anthropic", "gemini", "bedrock", "cohere", "ollama"];
const parametersJsonSchema = { type: "object", properties: { city: { type: "string" } } };
const config = { tools: [{ functionDeclarations: [{ name: "weather", description: "The weather", parametersJsonSchema }] }] };

for (const provider of OTHERS) {
  test(`content of ${provider} whole and streamed`, async (context) => {
    const { model } = modelAt(context, provider);
    const request = { model, contents: "hello there" };
    const whole = await google.models.generateContent(request);
    assert.equal(whole.text, "You said: hello there");
    const pieces = [];
    let last;
    for await (last of await google.models.generateContentStream(request)) pieces.push(last.text ?? "");
    assert.equal(pieces.join(""), "You said: hello there");
    assert.equal(last.candidates[0].finishReason, "STOP");
    assert.equal(last.usageMetadata.totalTokenCount, whole.usageMetadata.totalTokenCount);
  });

  test(`a function of ${provider} and its response`, async (context) => {
    const { model, upstream } = modelAt(context, provider);
    await script(upstream, { tools: [{ id: "call_paris", name: "weather", arguments: { city: "Paris" } }], times: 1 });
    const question = { role: "user", parts: [{ text: "weather?" }] };
    const asked = await google.models.generateContent({ model, contents: [question], config });
    const [call] = asked.functionCalls;
    assert.deepEqual([call.name, call.args], ["weather", { city: "Paris" }]);
    const answer = { functionResponse: { id: call.id, name: "weather", response: { output: "it rains" } } };
    const contents = [question, asked.candidates[0].content, { role: "user", parts: [answer] }];
    await google.models.generateContent({ model, contents, config });
    assert.match((await lastReceived(upstream)).body, /it rains/);
  });
}

test("a failure has its status", async (context) => {
  const { model, upstream } = modelAt(context, "anthropic");
  await script(upstream, { status: 403, error: "not for you" });
  const call = google.models.generateContent({ model, contents: "hello" });
  await assert.rejects(call, (error) => error.status === 403 && /not for you/.test(error.message));
});

test("tokens of contents are counted", async (context) => {
  const { model } = modelAt(context, "fake");
  assert.ok((await google.models.countTokens({ model, contents: "hello there" })).totalTokens > 0);
});
