// The Azure class of the SDK, pointed at the gateway as if it were an Azure resource.

import assert from "node:assert/strict";
import test from "node:test";
import OpenAI from "openai";
import { azure, modelOf, read, user } from "./provider.mjs";

test("an Azure chat", async () => {
  const reply = await azure.chat.completions.create({ model: "priced", messages: user("hello") });
  assert.equal(reply.choices[0].message.content, "You said: hello");
});

test("an Azure stream of a name with a slash", async (context) => {
  const { model } = modelOf(context);
  const stream = await azure.chat.completions.create({ model, messages: user("one two"), stream: true });
  assert.equal((await read(stream)).text, "You said: one two");
});

test("Azure embeddings", async (context) => {
  const { model } = modelOf(context);
  const { data } = await azure.embeddings.create({ model, input: ["red", "red"] });
  assert.deepEqual(data[0].embedding, data[1].embedding);
});

test("an unknown Azure deployment", async () => {
  const call = azure.chat.completions.create({ model: "gpt-nobody", messages: user("hello") });
  await assert.rejects(call, OpenAI.BadRequestError);
});
