#!/usr/bin/env bash
# Streams from a real language model through the gateway into the OpenAI SDK: `compat/real_model/run.sh`.
# Linux on x86-64. The variables are those of compat/run.sh.
set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
compat=$(dirname "$here")
source "$compat/shell/environments.sh"
source "$compat/shell/processes.sh"

venv=$(python_environment "$compat/python/requirements.txt")
# Optional packages are 600 MB of builds for other machines; the scripts would compile what is there already.
server=$(node_environment "$here" real-model --omit=optional --ignore-scripts)
weights=$(model_weights "$here/requirements.txt")

export TOLLGATE_KEY=sk-compat-9c41d27be6a05f83
port=$(free_port)
export REAL_MODEL_BASE=http://127.0.0.1:$port/v1
start model node "$server/server.mjs" "$weights" "$port"
await model "$REAL_MODEL_BASE/models" 60
start_tollgate "$here/config.yaml"

run "${offline[@]}" "$venv/bin/python" -B -m pytest -c "$compat/python/pytest.ini" "$here/tests"
