# make prints what there is to make. Nothing here is needed to use Sarraf:
# "go run ./cmd/sarraf demo" and "go test ./..." need Go and nothing else.

SHELL    := /bin/bash
FUZZTIME ?= 10s
BENCH    ?= --connections 8 --duration 10s --cards 64

.DEFAULT_GOAL := help

.PHONY: help
help: ## print this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: check
check: ## formatting, vet, staticcheck, all tests of the main module on SQLite
	@test -z "$$(gofmt -l cmd internal test)" || { gofmt -l cmd internal test; echo 'run gofmt -w on these'; exit 1; }
	go vet ./...
	go tool -modfile=tools/go.mod staticcheck ./...
	go test -skip '/^postgres$$' ./...

.PHONY: check-all
check-all: ## what CI runs (-race, PostgreSQL, the whole binary), then the fuzz targets for a while
	.ci/run
	$(MAKE) fuzz FUZZTIME=30s

.PHONY: golden
golden: ## rewrite what tests expect, from what they got; read the diff before you commit it
	SARRAF_GOLDEN=update go test -skip '/^postgres$$' ./...
	SARRAF_GOLDEN=update go -C test test -run '^TestScripts$$' .

.PHONY: verify
verify: ## rewrite everything generated and fail when that changes a file
	@test -z "$$(git status --porcelain)" || { echo 'commit or set aside your changes first'; exit 1; }
	$(MAKE) golden
	@test -z "$$(git status --porcelain)" || { git status --short; git diff --stat; exit 1; }

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (10s)
	@set -e; grep -rlE --include='*_test.go' '^func Fuzz' internal | xargs -n1 dirname | sort -u | while read -r dir; do \
		grep -hoE '^func Fuzz[A-Za-z0-9_]+' $$dir/*_test.go | sed 's/^func //' | while read -r target; do \
			echo "== $$dir $$target"; go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) ./$$dir; \
		done; \
	done

.PHONY: cover
cover: ## test coverage on SQLite, by function; cover.out is for "go tool cover -html"
	go test -skip '/^postgres$$' -coverprofile=cover.out ./...
	go tool cover -func=cover.out | tail -n 1

.PHONY: bench
bench: ## drive a server of its own with chip purchases; BENCH="…" sets the flags
	go run ./cmd/sarraf bench authorize $(BENCH)

.PHONY: demo
demo: ## see the main job happen, then play with it
	go run ./cmd/sarraf demo
