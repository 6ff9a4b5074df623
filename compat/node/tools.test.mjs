// Tool calls, whole, in fragments, and run by the SDK.

import assert from "node:assert/strict";
import test from "node:test";
import { lastReceived, modelOf, openai, script, user } from "./provider.mjs";

const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const tools = [{ type: "function", function: { name: "weather", parameters } }];
const calls = [
  { id: "call_paris", name: "weather", arguments: { city: "Paris" } },
  { id: "call_oslo", name: "weather", arguments: { city: "Oslo, Norway" } },
];
const cities = [{ city: "Paris" }, { city: "Oslo, Norway" }];

test("parallel tool calls", async (context) => {
  const { model, upstream } = modelOf(context);
  await script(upstream, { tools: calls });
  const reply = await openai.chat.completions.create({ model, messages: user("weather?"), tools });
  const { message, finish_reason } = reply.choices[0];
  assert.equal(finish_reason, "tool_calls");
  assert.deepEqual(message.tool_calls.map((call) => call.id), ["call_paris", "call_oslo"]);
  assert.deepEqual(message.tool_calls.map((call) => JSON.parse(call.function.arguments)), cities);
  assert.deepEqual((await lastReceived(upstream)).json.tools, tools);
});

test("fragments of arguments join", async (context) => {
  const { model, upstream } = modelOf(context);
  await script(upstream, { tools: calls });
  const joined = ["", ""];
  const stream = await openai.chat.completions.create({ model, messages: user("weather?"), tools, stream: true });
  for await (const chunk of stream) {
    for (const call of chunk.choices[0].delta.tool_calls ?? []) joined[call.index] += call.function.arguments ?? "";
  }
  assert.deepEqual(joined.map((text) => JSON.parse(text)), cities);
});

test("the SDK runs a tool and sends its result back", async (context) => {
  const { model, upstream } = modelOf(context);
  await script(upstream, { tools: [calls[0]], times: 1 });
  const asked = [];
  const weather = (argument) => {
    asked.push(argument.city);
    return "rain";
  };
  const runnable = { type: "function", function: { name: "weather", parameters, parse: JSON.parse, function: weather } };
  const runner = openai.chat.completions.runTools({ model, messages: user("weather?"), tools: [runnable], stream: true });
  assert.equal(await runner.finalContent(), "You said: weather?");
  assert.deepEqual(asked, ["Paris"]);
  const last = (await lastReceived(upstream)).json.messages.at(-1);
  assert.deepEqual(last, { role: "tool", tool_call_id: "call_paris", content: "rain" });
});
