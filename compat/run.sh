#!/usr/bin/env bash
# Runs real client SDKs against the gateway's binary: `compat/run.sh [--without-real-model]`.
#
# TOLLGATE_BIN and FAKE_PROVIDER_BIN name the binaries (default: debug builds in CARGO_TARGET_DIR);
# TOLLGATE_CACHE is where packages are installed, once. Network is used for the pip and npm registries only.
set -euo pipefail
shopt -s inherit_errexit

compat=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$compat/shell/environments.sh"
source "$compat/shell/processes.sh"

with_real_model=yes
[ "${1:-}" = --without-real-model ] && with_real_model=no

venv=$(python_environment "$compat/python/requirements.txt")
node_tests=$(node_environment "$compat/node" node)
# Optional packages are terminals to run commands in, which would have to be compiled.
agent_tests=$(node_environment "$compat/agents" agents --omit=optional --ignore-scripts)

export TOLLGATE_KEY=sk-compat-0f6c1e7b52d94a38
start_fake_provider
start_tollgate "$compat/config.yaml"

failed=()
closing=()

# suite NAME LINES COMMAND...: runs it to the end, and keeps its last LINES lines for the summary.
suite() {
    local name=$1 lines=$2 output=$work/$1.out
    shift 2
    : >"$output"
    tail --pid=$$ -n +1 -f "$output" &
    local shown=$!
    run "$@" >>"$output" 2>&1 || failed+=("$name")
    sleep 1.1 # tail looks once a second where it cannot be notified
    kill "$shown" 2>/dev/null || true
    closing+=("--- $name" "$(tail -n "$lines" "$output")")
}

suite python 6 "${offline[@]}" "$venv/bin/python" -B -m pytest -c "$compat/python/pytest.ini" "$compat/python/tests"
suite agents 8 "${offline[@]}" node --test --test-reporter=spec "$agent_tests"
suite node 8 "${offline[@]}" node --test --test-reporter=spec "$node_tests"
[ $with_real_model = no ] || suite real-model 2 "$compat/real_model/run.sh"

printf '%s\n' "" "${closing[@]}"
if [ ${#failed[@]} -gt 0 ]; then
    echo "compat: failed: ${failed[*]}" >&2
    exit 1
fi
