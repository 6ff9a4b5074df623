// Chat completions, whole and streamed.

import assert from "node:assert/strict";
import test from "node:test";
import { lastReceived, modelOf, openai, read, script, user } from "./provider.mjs";

test("a reply is complete", async (context) => {
  const { model } = modelOf(context);
  const reply = await openai.chat.completions.create({ model, messages: user("good morning to you") });
  assert.equal(reply.model, model);
  assert.equal(reply.choices[0].message.content, "You said: good morning to you");
  assert.equal(reply.choices[0].finish_reason, "stop");
  assert.equal(reply.usage.total_tokens, 10);
});

test("a stream carries the text and no usage", async (context) => {
  const { model } = modelOf(context);
  const stream = await openai.chat.completions.create({ model, messages: user("one two"), stream: true });
  const { chunks, text } = await read(stream);
  assert.equal(text, "You said: one two");
  assert.equal(chunks.at(-1).choices[0].finish_reason, "stop");
  assert.ok(chunks.every((chunk) => chunk.choices.length > 0 && !chunk.usage));
});

test("a stream carries usage when asked", async (context) => {
  const { model } = modelOf(context);
  const options = { stream: true, stream_options: { include_usage: true } };
  const stream = await openai.chat.completions.create({ model, messages: user("one two"), ...options });
  const { chunks } = await read(stream);
  assert.deepEqual(chunks.at(-1).choices, []);
  assert.equal(chunks.at(-1).usage.total_tokens, 6);
});

test("the stream helper builds the reply", async (context) => {
  const { model } = modelOf(context);
  const runner = openai.chat.completions.stream({ model, messages: user("one two") });
  assert.equal(await runner.finalContent(), "You said: one two");
});

test("unknown fields reach the upstream", async (context) => {
  const { model, upstream } = modelOf(context);
  const field = { nested: [1, 2.5, null, "naïve"] };
  await openai.chat.completions.create({ model, messages: user("hello"), house_field: field });
  assert.deepEqual((await lastReceived(upstream)).json.house_field, field);
});

test("response headers say who answered and what it cost", async () => {
  const call = openai.chat.completions.create({ model: "priced", messages: user("one two three four") });
  const { response } = await call.withResponse();
  assert.equal(response.headers.get("x-litellm-model-id"), "priced-deployment");
  assert.equal(Number(response.headers.get("x-litellm-response-cost")), 0.000016);
  assert.ok(response.headers.get("x-litellm-call-id"));
});

test("embeddings are the same in both encodings", async (context) => {
  const { model } = modelOf(context);
  const ask = { model, input: ["red green", "blue"] };
  const [first, second] = (await openai.embeddings.create(ask)).data;
  const floats = (await openai.embeddings.create({ ...ask, encoding_format: "float" })).data;
  assert.equal(first.embedding.length, 32);
  first.embedding.forEach((cell, at) => assert.ok(Math.abs(cell - floats[0].embedding[at]) < 1e-6));
  assert.notDeepEqual(first.embedding, second.embedding);
});

test("models are listed", async () => {
  const names = [];
  for await (const model of openai.models.list()) names.push(model.id);
  assert.ok(names.includes("priced") && names.includes("gemma2:latest"), names.join());
});

test("reasoning and characters of several bytes are streamed", async (context) => {
  const { model, upstream } = modelOf(context);
  await script(upstream, { thinking: "let me see", chunks: ["漢字", "👩‍👩‍👧"] });
  const { chunks, text } = await read(await openai.chat.completions.create({ model, messages: user("hi"), stream: true }));
  assert.equal(text, "漢字👩‍👩‍👧");
  const thinking = chunks.flatMap((chunk) => chunk.choices).map((choice) => choice.delta.reasoning_content ?? "");
  assert.equal(thinking.join(""), "let me see");
});
