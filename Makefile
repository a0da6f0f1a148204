# Every target sets up what it needs; see CONTRIBUTING.md.
.DEFAULT_GOAL := help
.PHONY: help demo test bench storm test-toolchains check-deploy guests fmt lint

help: ## says what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## runs a workflow, kills its host half-way, and watches it finish
	@scripts/demo

test: ## all that must hold before a change is sent
	@scripts/test

bench: ## the budgets, measured beside a bare commit
	@scripts/bench

storm: ## what may befall a cluster, for a quarter of an hour, counted by the ledger
	@scripts/storm

test-toolchains: ## builds and runs a module with every supported way to build one
	@scripts/test-toolchains

check-deploy: ## the Dockerfile and deploy/, by tools of those they are written for
	@scripts/check-deploy

guests: ## builds examples/ to target/guests/wasm32-wasip2/release/*.wasm
	@scripts/guests

fmt: ## formats everything
	cargo fmt --all
	cargo fmt --manifest-path examples/Cargo.toml --all

lint: ## form and lints, without tests
	cargo fmt --all --check
	cargo fmt --manifest-path examples/Cargo.toml --all --check
	cargo clippy --workspace --all-targets -- -D warnings
