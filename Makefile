# The Arrow interface of DuckDB's driver is behind this build tag: every go command needs it.
export GOFLAGS := -tags=duckdb_arrow

GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
BENCH_DIR ?= /tmp/rollcall-bench
BENCH_SIZE ?= 100000
FUZZ_TIME ?= 1m

.PHONY: help
help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{ printf "  make %-12s %s\n", $$1, $$2 }'

.PHONY: build
build: ## build bin/rollcall
	go build -o bin/rollcall ./cmd/rollcall

.PHONY: demo
demo: build ## run two nights of an embedded example and show what they did
	bin/rollcall demo

.PHONY: test
test: ## vet, then all tests that need nothing but Go and a C compiler, with the race detector
	go vet ./... ./testdata/demo ./testdata/bench ./testdata/ad/genusers ./testdata/slapd/genpeople
	go test -race -timeout 20m ./...

.PHONY: test-ad
test-ad: ## run the nightly job against a real Samba AD domain controller (as root; says what to install)
	testdata/ad/with-dc.sh "$$(mktemp -d)" go test -tags 'duckdb_arrow ad' -count=1 -timeout 20m -run TestSambaAD ./cmd/rollcall

.PHONY: test-slapd
test-slapd: ## read 200,000 accounts from slapd, by password and certificate, with flat memory (says what to install)
	testdata/slapd/with-slapd.sh "$$(mktemp -d)" 200000 go test -tags 'duckdb_arrow slapd' -count=1 -timeout 20m -run TestSlapd ./stages/users

.PHONY: replay
replay: build ## run all replay cases
	bin/rollcall replay testdata/replay

.PHONY: lint
lint: ## run golangci-lint (built on first use), and check that docs/dictionary.md is current
	go run $(GOLANGCI_LINT) run --build-tags duckdb_arrow,ad,slapd ./... ./testdata/demo ./testdata/bench ./testdata/ad/... ./testdata/slapd/...
	go run ./cmd/rollcall dictionary | diff -u docs/dictionary.md - || { echo "docs/dictionary.md is stale: make dictionary"; exit 1; }

.PHONY: dictionary
dictionary: ## write docs/dictionary.md
	go run ./cmd/rollcall dictionary > docs/dictionary.md

.PHONY: fuzz
fuzz: ## fuzz the keys, LDIF and the conversion of entries, FUZZ_TIME (1m) each
	go test ./schemas/keys -run '^$$' -fuzz FuzzKeysAreStable -fuzztime $(FUZZ_TIME) -fuzzminimizetime 500x
	go test ./stages/users -run '^$$' -fuzz FuzzLDIF -fuzztime $(FUZZ_TIME) -fuzzminimizetime 500x
	go test ./stages/users -run '^$$' -fuzz FuzzConversion -fuzztime $(FUZZ_TIME) -fuzzminimizetime 500x

.PHONY: bench-ad
bench-ad: ## measure at a Samba AD domain controller what an incremental read would save (as root)
	testdata/ad/with-dc.sh "$$(mktemp -d)" go test -tags 'duckdb_arrow ad' -count=1 -timeout 20m -v -run TestMeasure ./cmd/rollcall

.PHONY: bench
bench: build ## time a first and an unchanged night of BENCH_SIZE users and contacts (needs GNU time: apt-get install time)
	@command -v /usr/bin/time > /dev/null || { echo "GNU time is missing: apt-get install time"; exit 1; }
	rm -rf $(BENCH_DIR)
	go run ./testdata/bench $(BENCH_DIR) $(BENCH_SIZE)
	/usr/bin/time -f 'first night: %e s, %M KiB peak resident' bin/rollcall run nightly --config $(BENCH_DIR)/rollcall.yaml --now 2026-11-01T02:00:00Z --log-level warn
	/usr/bin/time -f 'unchanged night: %e s, %M KiB peak resident' bin/rollcall run nightly --config $(BENCH_DIR)/rollcall.yaml --now 2026-11-02T02:00:00Z --log-level warn
