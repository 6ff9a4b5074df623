// Agents on the command line, each against a provider of another format than its own: it asks, the model calls a tool,
// the agent runs it and shows what the model makes of the result.

import assert from "node:assert/strict";
import test from "node:test";
import { ANSWER, installed, machine, received, run, scriptTurn, SECRET, TOLLGATE_KEY, TOLLGATE_URL } from "./provider.mjs";

const QUESTION = "What is the secret word in notes.txt?";

/** The turn as the upstream saw it: two requests of its own format, the second with the tool's result. */
async function assertTurn(upstream, path) {
  const requests = await received(upstream);
  assert.deepEqual(requests.map((request) => request.path), [path, path]);
  assert.ok(requests[0].body.includes(QUESTION) && !requests[0].body.includes(SECRET));
  assert.ok(requests[1].body.includes(SECRET), "the tool's result did not reach the model");
}

const CLAUDE = installed("@anthropic-ai/claude-code-linux-x64/claude");

for (const { provider, upstream, path } of [
  { provider: "fake", upstream: "claude-code", path: "/v1/chat/completions" },
  { provider: "gemini", upstream: "gemini-2.5-flash-claude-code", path: "/v1beta/models/gemini-2.5-flash-claude-code:streamGenerateContent" },
]) {
  test(`Claude Code with a model of ${provider}`, async (context) => {
    await scriptTurn(upstream, { name: "Bash", arguments: { command: "cat notes.txt" } });
    const { out } = await run(await machine(context), CLAUDE, ["-p", QUESTION, "--allowedTools", "Bash"], {
      ANTHROPIC_BASE_URL: TOLLGATE_URL,
      ANTHROPIC_AUTH_TOKEN: TOLLGATE_KEY,
      ANTHROPIC_MODEL: `${provider}/${upstream}`,
      ANTHROPIC_DEFAULT_HAIKU_MODEL: `${provider}/${upstream}-small`,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    });
    assert.equal(out.trim(), ANSWER);
    await assertTurn(upstream, path);
  });
}

const CODEX = installed("@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex");

for (const { provider, upstream, path } of [
  { provider: "anthropic", upstream: "claude-sonnet-4-5-codex", path: "/v1/messages" },
  { provider: "ollama", upstream: "codex", path: "/api/chat" },
  { provider: "fake", upstream: "codex-native", path: "/v1/responses" },
]) {
  test(`Codex with a model of ${provider}`, async (context) => {
    await scriptTurn(upstream, { name: "exec_command", arguments: { cmd: "cat notes.txt" } });
    const settings = `
      model = "${provider}/${upstream}"
      model_provider = "tollgate"
      web_search = "disabled"

      [model_providers.tollgate]
      name = "Tollgate"
      base_url = "${TOLLGATE_URL}/v1"
      env_key = "TOLLGATE_KEY"
      wire_api = "responses"
    `;
    const here = await machine(context, { ".codex/config.toml": settings });
    // Its sandbox wants namespaces, which a container may not have.
    const args = ["exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", QUESTION];
    const { out } = await run(here, CODEX, args, { TOLLGATE_KEY });
    assert.equal(out.trim(), ANSWER);
    await assertTurn(upstream, path);
  });
}

const GEMINI = installed("@google/gemini-cli/bundle/gemini.js");
const SETTINGS = JSON.stringify({
  security: { auth: { selectedType: "gemini-api-key" } },
  general: { enableAutoUpdate: false, enableAutoUpdateNotification: false },
  privacy: { usageStatisticsEnabled: false },
});

for (const { provider, upstream, path } of [
  { provider: "fake", upstream: "gemini-cli", path: "/v1/chat/completions" },
  { provider: "anthropic", upstream: "claude-sonnet-4-5-gemini-cli", path: "/v1/messages" },
]) {
  test(`Gemini CLI with a model of ${provider}`, async (context) => {
    await scriptTurn(upstream, { name: "read_file", arguments: { file_path: "notes.txt" } });
    const here = await machine(context, { ".gemini/settings.json": SETTINGS });
    const args = [GEMINI, "-m", `${provider}/${upstream}`, "--skip-trust", "--yolo", "-p", QUESTION];
    const { out } = await run(here, process.execPath, args, {
      GEMINI_API_KEY: TOLLGATE_KEY,
      GOOGLE_GEMINI_BASE_URL: TOLLGATE_URL,
    });
    assert.equal(out.trim(), ANSWER);
    await assertTurn(upstream, path);
  });
}
