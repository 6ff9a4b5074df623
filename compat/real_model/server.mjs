// A small language model behind OpenAI's chat API: `node server.mjs MODEL.gguf PORT`. One reply at a time.
// Just enough of the API to be an upstream: messages, max_tokens, temperature, stream, stream_options.

import http from "node:http";
import { getLlama, LlamaChatSession } from "node-llama-cpp";

const [path, port] = process.argv.slice(2);
// One thread: on a shared machine the spinning barriers of several cost more than they give.
const llama = await getLlama({ gpu: false, build: "never", maxThreads: 1, logLevel: "error" });
const model = await llama.loadModel({ modelPath: path });
const context = await model.createContext({ contextSize: 1024, threads: 1 });
const sequence = context.getSequence();

// A content is a text or parts of it.
const plain = (content) => (typeof content === "string" ? content : content.map((part) => part.text).join(""));

const HISTORY = {
  system: (text) => ({ type: "system", text }),
  user: (text) => ({ type: "user", text }),
  assistant: (text) => ({ type: "model", response: [text] }),
};

async function generate({ messages, max_tokens = 64, temperature = 0 }, onTextChunk, signal) {
  await sequence.clearHistory();
  const before = sequence.tokenMeter.getState();
  const session = new LlamaChatSession({ contextSequence: sequence, autoDisposeSequence: false });
  session.setChatHistory(messages.slice(0, -1).map(({ role, content }) => HISTORY[role](plain(content))));
  const settings = { maxTokens: max_tokens, temperature, onTextChunk, signal, stopOnAbortSignal: true };
  const { responseText, stopReason } = await session.promptWithMeta(plain(messages.at(-1).content), settings);
  const used = sequence.tokenMeter.diff(before);
  session.dispose();
  lastStop = stopReason;
  const [prompt_tokens, completion_tokens] = [used.usedInputTokens, used.usedOutputTokens];
  const usage = { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
  return { text: responseText, finish_reason: stopReason === "maxTokens" ? "length" : "stop", usage };
}

let turn = Promise.resolve();
let lastStop = null;

async function chat(asked, response) {
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  const envelope = (object, rest) => ({ id: "chatcmpl-local", object, created: 0, model: asked.model, ...rest });
  if (!asked.stream) {
    const { text, finish_reason, usage } = await generate(asked, undefined, gone.signal);
    const message = { role: "assistant", content: text };
    return json(response, envelope("chat.completion", { choices: [{ index: 0, message, finish_reason }], usage }));
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  const send = (rest) => response.write(`data: ${JSON.stringify(envelope("chat.completion.chunk", rest))}\n\n`);
  const delta = (delta, finish_reason = null) => send({ choices: [{ index: 0, delta, finish_reason }] });
  delta({ role: "assistant", content: "" });
  const { finish_reason, usage } = await generate(asked, (content) => delta({ content }), gone.signal);
  delta({}, finish_reason);
  if (asked.stream_options?.include_usage) send({ choices: [], usage });
  response.end("data: [DONE]\n\n");
}

function json(response, body, status = 200) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

http
  .createServer(async (request, response) => {
    // `last_stop` is how the last reply ended; `abort` when its reader left.
    const listed = { id: "smollm2", object: "model", last_stop: lastStop };
    if (request.url === "/v1/models") return json(response, { object: "list", data: [listed] });
    if (request.url !== "/v1/chat/completions") return json(response, { error: { message: "no such path" } }, 404);
    let text = "";
    for await (const piece of request) text += piece;
    turn = turn
      .then(() => chat(JSON.parse(text), response))
      .catch((error) => (response.headersSent ? response.destroy() : json(response, { error: { message: String(error) } }, 400)));
  })
  .listen(Number(port), "127.0.0.1");
