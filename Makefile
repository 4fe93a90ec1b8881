# Everything here needs Go alone; go fetches the linters itself (.ci/tools/go.mod).
FUZZTIME ?= 60s
TOOL = go tool -modfile=.ci/tools/go.mod

.DEFAULT_GOAL := help
.PHONY: help build check test race lint fuzz fuzz-long mutate matrix floods golden pcaps bench bench-baseline bench-peers docs demo cover

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 22

build: ## build one static binary, ./expectscope
	CGO_ENABLED=0 go build -trimpath -o expectscope ./cmd/expectscope

check: ## run what CI runs
	.ci/run

test: ## run the tests
	go test ./...

race: ## run the tests under the race detector (needs a C compiler)
	CGO_ENABLED=1 go test -race ./...

lint: ## gofumpt, go vet, staticcheck
	@out=$$($(TOOL) gofumpt -l .) && test -z "$$out" || { echo "not formatted: $$out"; exit 1; }
	go vet ./...
	$(TOOL) staticcheck ./...

# Minimizing is not counted, and without a bound takes all the time where coverage differs from run to run.
FUZZ ?= ^Fuzz
fuzz: ## run every fuzz target that FUZZ matches (^Fuzz) for FUZZTIME (60s)
	@set -e; for p in $$(go list ./...); do \
	  for t in $$(go test -list '$(FUZZ)' $$p | grep '^Fuzz' || true); do \
	    echo "== $$t in $$p"; \
	    go test -run='^$$' -fuzz="^$$t\$$" -fuzztime=$(FUZZTIME) -fuzzminimizetime=100x $$p; \
	  done; done

fuzz-long: ## run every fuzz target for ten minutes
	@$(MAKE) fuzz FUZZTIME=10m

MUTATIONS ?= 2000
mutate: ## worsen every capture in MUTATIONS (2000; all) ways: nothing more may be certain
	EXPECTSCOPE_MUTATIONS=$(MUTATIONS) go test ./analysis/engine -run TestMutations -timeout 24h

matrix: ## lose every record and every segment of TLS, in every suite, with HTTP/1.1 and HTTP/2 (CI: a sample)
	EXPECTSCOPE_MATRIX=all go test ./analysis/tlskey -run TestRows -v

floods: ## run the floods and bombs of the tests in full, and write them to FLOODS (/tmp) as pcap files
	EXPECTSCOPE_FLOODS=$(or $(FLOODS),/tmp) go test ./analysis/engine ./capture/pcapfile -run "TestFloods|TestBombs" -v

golden: ## write all goldens anew; git diff shows what changed
	go test $$(grep -rlE --include=*_test.go 'flag.(Bool|Lookup)\("update"' . | xargs -n1 dirname | sort -u) -update

pcaps: ## rebuild testdata/pcaps/*.pcap from their conversations
	go test ./capture/script -run TestPcapsAreBuilt -update

BENCH = go test -run='^$$' -bench='Stages|ScanHead|JudgeInOrder|InOrder$$|ManyConns|Decode|^BenchmarkNext' -benchtime=0.2s -count=6 \
	./analysis/engine ./analysis/http1 ./analysis/rules ./reassembly ./capture/decode ./capture/pcapfile

bench: ## hold the benchmarks of each stage against .ci/bench.txt
	@out=$$(mktemp) && $(BENCH) >$$out && $(TOOL) benchstat .ci/bench.txt $$out; s=$$?; rm -f $$out; exit $$s

bench-baseline: ## write .ci/bench.txt anew, on a machine with nothing else to do
	$(BENCH) >.ci/bench.txt

bench-peers: ## hold the program against cat and the tools that read HTTP from captures
	.ci/bench-peers

docs: ## write the README's picture and rule table anew
	go test ./cmd/expectscope -run TestREADME -update

demo: ## analyze the demo capture
	go run ./cmd/expectscope testdata/pcaps/demo.pcap

cover: ## test coverage by package, coverage.out for go tool cover
	go test -coverprofile=coverage.out ./...
