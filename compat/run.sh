#!/usr/bin/env bash
# Runs real client SDKs against the gateway's binary: `compat/run.sh [--without-real-model]`.
#
# TOLLGATE_BIN and FAKE_PROVIDER_BIN name the binaries (default: debug builds in CARGO_TARGET_DIR);
# TOLLGATE_CACHE is where packages are installed, once. Network is used for the pip and npm registries only.
set -euo pipefail

compat=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$compat/shell/environments.sh"
source "$compat/shell/processes.sh"

with_real_model=yes
[ "${1:-}" = --without-real-model ] && with_real_model=no

venv=$(python_environment "$compat/python/requirements.txt")
node_tests=$(node_environment "$compat/node" node)

export TOLLGATE_KEY=sk-compat-0f6c1e7b52d94a38
start_fake_provider
start_tollgate "$compat/config.yaml"

failed=()
closing=()

# suite NAME LINES COMMAND...: runs it to the end, and keeps its last LINES lines for the summary.
suite() {
    local name=$1 lines=$2
    shift 2
    "$@" 2>&1 </dev/null | tee "$work/$name.out" || failed+=("$name")
    closing+=("--- $name" "$(tail -n "$lines" "$work/$name.out")")
}

suite python 12 offline "$venv/bin/python" -B -m pytest -c "$compat/python/pytest.ini" "$compat/python/tests"
suite node 10 offline node --test "$node_tests"
[ $with_real_model = no ] || suite real-model 3 "$compat/real_model/run.sh"

printf '%s\n' "" "${closing[@]}"
if [ ${#failed[@]} -gt 0 ]; then
    echo "compat: failed: ${failed[*]}" >&2
    exit 1
fi
