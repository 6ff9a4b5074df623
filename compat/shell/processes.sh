# Servers of a run: started on free ports, awaited, and stopped however the run ends.
# Sourced. Sets $work, a directory that holds their logs and is removed with them.

target=${CARGO_TARGET_DIR:-$compat/../target}
tollgate_binary=${TOLLGATE_BIN:-$target/debug/tollgate}
fake_provider_binary=${FAKE_PROVIDER_BIN:-$target/debug/fake-provider}

work=$(mktemp -d)
started=()

stop_everything() {
    local status=$? process
    trap - EXIT
    for process in "${started[@]}"; do kill "$process" 2>/dev/null || true; done
    for process in "${started[@]}"; do wait "$process" 2>/dev/null || true; done
    rm -rf "$work"
    exit "$status"
}
trap stop_everything EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

need_binary() {
    [ -x "$1" ] && return
    echo "compat: no binary at $1; build it with \`cargo build -p $2\` or set $3" >&2
    exit 2
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# start NAME COMMAND...: in the background, its output in $work/NAME.log.
start() {
    local name=$1
    shift
    "$@" >"$work/$name.log" 2>&1 </dev/null &
    started+=($!)
}

# await NAME URL SECONDS: until URL answers; with the log when it does not.
await() {
    local deadline=$((SECONDS + $3))
    until curl --silent --fail --output /dev/null --max-time 2 --noproxy '*' "$2"; do
        if [ $SECONDS -ge $deadline ] || ! kill -0 "${started[-1]}" 2>/dev/null; then
            echo "compat: $1 does not answer at $2" >&2
            tail -n 40 "$work/$1.log" >&2
            exit 1
        fi
        sleep 0.1
    done
}

# start_tollgate CONFIG: sets TOLLGATE_URL. The file is copied, because what the gateway keeps stands beside it.
start_tollgate() {
    local port
    need_binary "$tollgate_binary" tollgate-server TOLLGATE_BIN
    port=$(free_port)
    cp "$1" "$work/config.yaml"
    export TOLLGATE_URL=http://127.0.0.1:$port
    start tollgate "$tollgate_binary" --config "$work/config.yaml" --host 127.0.0.1 --port "$port"
    await tollgate "$TOLLGATE_URL/health/readiness" 20
}

# start_fake_provider: sets FAKE_PROVIDER_URL and FAKE_OPENAI_BASE.
start_fake_provider() {
    local port
    need_binary "$fake_provider_binary" tollgate-testkit FAKE_PROVIDER_BIN
    port=$(free_port)
    export FAKE_PROVIDER_URL=http://127.0.0.1:$port
    export FAKE_OPENAI_BASE=$FAKE_PROVIDER_URL/v1
    start fake-provider "$fake_provider_binary" --port "$port"
    await fake-provider "$FAKE_PROVIDER_URL/_fake/requests" 10
}

# Before a command: a proxy that nobody serves, so that a download fails instead of passing unseen.
nowhere=http://127.0.0.1:9
offline=(
    env HTTP_PROXY=$nowhere HTTPS_PROXY=$nowhere http_proxy=$nowhere https_proxy=$nowhere
    NO_PROXY=127.0.0.1,localhost no_proxy=127.0.0.1,localhost
)

# run COMMAND...: to its end, in the background because a shell hears no signal while it is busy in front.
run() {
    "$@" </dev/null &
    started+=($!)
    wait $!
}
