// What the agents' tests share: the gateway, the fake provider, and a machine that has nothing but these two.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import path from "node:path";

const { FAKE_PROVIDER_URL } = process.env;
export const { TOLLGATE_URL, TOLLGATE_KEY } = process.env;

/** What stands in the file that an agent is to read, and what the model then says. */
export const SECRET = "the secret word is platypus";
export const ANSWER = "It is platypus, says notes.txt.";

const PACKAGES = path.join(import.meta.dirname, "node_modules");
export const installed = (...parts) => path.join(PACKAGES, ...parts);

/** A model that calls `tool` first, and answers when it has the result. */
export async function scriptTurn(upstream, tool) {
  const script = { tools: [{ id: "call_1", ...tool }], times: 1, then: { reply: ANSWER } };
  const url = `${FAKE_PROVIDER_URL}/_fake/scripts/${encodeURIComponent(upstream)}`;
  const reply = await fetch(url, { method: "PUT", body: JSON.stringify(script) });
  assert.equal(reply.status, 200, await reply.text());
}

/** What reached the upstream for a model: path and body of each request. */
export async function received(upstream) {
  const reply = await fetch(`${FAKE_PROVIDER_URL}/_fake/requests?model=${encodeURIComponent(upstream)}`);
  return (await reply.json()).map(({ path, body }) => ({ path, body }));
}

/** A home without settings but for `files`, and a directory that holds `notes.txt`; both are removed after the test. */
export async function machine(context, files = {}) {
  const root = await mkdtemp(path.join(import.meta.dirname, "machine-"));
  context.after(() => rm(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }));
  const [home, workspace] = [path.join(root, "home"), path.join(root, "workspace")];
  await mkdir(workspace, { recursive: true });
  await writeFile(path.join(workspace, "notes.txt"), `${SECRET}\n`);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.join(home, path.dirname(name)), { recursive: true });
    await writeFile(path.join(home, name), text);
  }
  await mkdir(home, { recursive: true });
  return { home, workspace };
}

/** Runs a command to its end, with no other environment than this and no network but loopback. */
export async function run({ home, workspace }, command, args, environment) {
  const names = ["PATH", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "NO_PROXY", "no_proxy"];
  const inherited = Object.fromEntries(names.map((name) => [name, process.env[name]]).filter(([, value]) => value));
  const env = { ...inherited, HOME: home, TERM: "dumb", ...environment };
  const child = spawn(command, args, { cwd: workspace, env, stdio: ["ignore", "pipe", "pipe"], timeout: 90_000 });
  const output = { out: "", err: "" };
  child.stdout.on("data", (bytes) => (output.out += bytes));
  child.stderr.on("data", (bytes) => (output.err += bytes));
  const code = await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
  assert.equal(code, 0, `${path.basename(command)} ended with ${code}\n${output.out}\n${output.err}`);
  return output;
}
