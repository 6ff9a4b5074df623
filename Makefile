# Each target installs what it needs: Rust crates by their lock file, Debian packages where a test wants a
# real server. Nothing is fetched beyond the package registries.

SHELL := /bin/bash
CARGO_TARGET_DIR ?= $(CURDIR)/target
export CARGO_TARGET_DIR
RELEASE := $(CARGO_TARGET_DIR)/release
ARGS ?=

.PHONY: help build run test test-rust test-compat lint deny fuzz bench clean

help:
	@echo "make run      build and start the gateway (ARGS='--config config.yaml' to give it a configuration)"
	@echo "make test     everything that must pass: format, lints, Rust tests, official SDKs, a real model"
	@echo "make build    the release binary, $(RELEASE)/tollgate"
	@echo "make lint     format and lints only, with the dependency rules of deny.toml"
	@echo "make fuzz     a minute of mutated input for everything that reads bytes"
	@echo "make bench    CPU and latency per call against nginx and the bare upstream"

build:
	cargo build --release --locked -p tollgate-server

run: build
	@$(RELEASE)/tollgate $(ARGS)

test: check-format test-rust test-compat

.PHONY: check-format
check-format:
	cargo fmt --all --check

# The store's tests start a server of their own; only its programs are needed.
.PHONY: postgresql
postgresql:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || \
		(apt-get update -qq && apt-get install -y -qq postgresql)

# One profile for everything: lints share its metadata, tests and the SDK runs share its binaries.
test-rust: postgresql
	cargo clippy --locked --workspace --all-targets -- -D warnings
	@command -v redis-server >/dev/null || (apt-get update -qq && apt-get install -y -qq redis-server)
	@if cargo nextest --version >/dev/null 2>&1; then \
		cargo nextest run --locked --workspace; \
	else \
		cargo test --locked --workspace; \
	fi
	cargo test --locked --workspace --doc

test-compat:
	cargo build --locked -p tollgate-server -p tollgate-testkit
	compat/run.sh

lint: check-format deny
	cargo clippy --locked --workspace --all-targets -- -D warnings

deny:
	@command -v cargo-deny >/dev/null || cargo install --locked cargo-deny
	cargo deny check bans licenses sources

fuzz:
	cargo run --profile fuzz --locked -p tollgate-fuzz -- $(ARGS)

bench:
	@command -v nginx >/dev/null || (apt-get update -qq && apt-get install -y -qq nginx-light)
	cargo build --release --locked -p tollgate-server -p tollgate-bench
	$(RELEASE)/tollgate-bench $(ARGS)

clean:
	cargo clean
