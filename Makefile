# `make help` lists what there is. Nothing here needs to be installed by hand besides Go.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The linter and sqlc are pinned in a module of their own, so that their hundreds of dependencies stay out of ours.
# Without cgo sqlc compiles in a third of the time and needs no C compiler; its output is the same.
TOOL      := go tool -modfile=tools/go.mod
LINTER    := $(TOOL) golangci-lint
SQLC      := CGO_ENABLED=0 go tool -modfile=../../tools/go.mod sqlc
GENERATED := storage/postgres/internal/db docs/en/commands.md docs/en/configuration.md docs/zh-CN/commands.md docs/zh-CN/configuration.md

# Each package with a database starts a small Postgres of its own: more than four at a time only slow each other down.
CPUS  := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
TESTP := $(shell n=$(CPUS); echo $$(( n < 4 ? n : 4 )))
# Too long under the race detector: the benchmark, and the fault test, whose bot is a child process anyway.
SLOW_UNDER_RACE := /(bench|e2e/fault)$$

.PHONY: help demo test race lint fmt generate verify bench fault build clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Build bin/huiyin
	go build -o bin/huiyin ./cmd/huiyin

demo: build ## Run everything on this machine: simulated chat, sample firm, nothing to configure (ARGS="--reset")
	exec bin/huiyin demo $(ARGS)

test: ## Run all tests (brings its own Postgres and Redis)
	go test -p $(TESTP) -timeout 10m ./...

race: ## Run the tests under the race detector, without the slowest two packages (needs a C compiler)
	go test -race -p $(TESTP) -timeout 12m $$(go list ./... | grep -vE '$(SLOW_UNDER_RACE)')

lint: ## Vet and lint (the first run compiles the linter)
	go vet ./...
	$(LINTER) run

fmt: ## Format all Go files
	$(LINTER) fmt

generate: ## Write the derived files: queries and reference pages
	cd storage/postgres && $(SQLC) generate
	go run ./cmd/huiyin docs --write

verify: generate ## Fail if a derived file, the formatting or a module is not what it should be
	@git --no-pager diff --exit-code -- $(GENERATED) || { echo 'derived files were stale: commit what make generate wrote' >&2; exit 1; }
	@stray=$$(git ls-files --others --exclude-standard -- $(GENERATED)); [[ -z $$stray ]] || { echo "derived but not committed: $$stray" >&2; exit 1; }
	$(LINTER) fmt --diff
	go mod verify
# govulncheck reads a vulnerability database over the network, so it is for the release checklist in CONTRIBUTING.md and not here.

bench: ## Print the benchmark tables (starts its own Postgres)
	go run ./bench $(ARGS)

fault: ## The full fault test: 10,000 commands, 100 kills of the bot, 10 crashes of Postgres
	HUIYIN_FAULT=full go test ./e2e/fault -run . -count=1 -timeout 60m -v

clean: ## Remove what was built (demo data in .huiyin stays)
	rm -rf bin dist artifacts
