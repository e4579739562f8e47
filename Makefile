# Everything here needs Go and make alone, on any Debian; test-all also needs a
# C compiler for the race detector, LibreOffice (libreoffice-calc, libreoffice-writer), Chromium, Node.js
# with npm and poppler-utils for the pages and, on Linux, strace for the tests that kill hosts in the
# middle of a write; vuln a network.

GO        = go
GOTEST    = $(GO) test
TESTFLAGS =
FUZZTIME  = 10s
BENCH     = .
COUNT     = 1
DEMOFLAGS =
TARGETS   = linux/amd64 linux/arm64 windows/amd64 windows/arm64 darwin/amd64 darwin/arm64

TOOL = $(GO) tool -modfile=tools/go.mod

# Where git cannot answer (no git, a copy without history, a clone that belongs
# to somebody else) the build goes on without the commit.
BUILDVCS := $(shell git rev-parse HEAD >/dev/null 2>&1 || echo -buildvcs=false)

export CGO_ENABLED = 0

# The program is to stay under 40 MB, so inlining, which costs 4 MB of it, is kept
# for what computes, for SQLite and for the standard library without its servers,
# templates, readers of certificates and of files, formats and system calls. Tests and
# benchmarks inline everything.
HOT     = std muster/dap muster/vdaf/... muster/internal/aggregate muster/internal/cascade muster/internal/disclosure/... \
          github.com/cloudflare/... github.com/ncruces/... golang.org/x/crypto/...
COLD    = archive/... bufio compress/... context crypto/tls/... crypto/x509/... database/sql embed encoding/asn1 encoding/csv \
          encoding/gob encoding/json encoding/pem encoding/xml errors flag fmt go/... html html/template internal/fmtsort \
          internal/poll internal/reflectlite io/... log/... mime/... net net/http/... net/mail net/netip net/textproto net/url \
          os/... path/... reflect regexp regexp/syntax syscall text/tabwriter text/template/... vendor/...
INLINED = -gcflags=all=-l $(HOT:%=-gcflags=%=) $(COLD:%=-gcflags=%=-l)

.PHONY: help build sbom demo picture storybook test test-all bench benchstat fuzz format lint cross generate tidy-check vuln clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## bin/muster: static, the same bytes from the same source
	$(GO) build $(BUILDVCS) -trimpath $(INLINED) -ldflags "-s -w -buildid= -funcalign=8" -o bin/muster ./cmd/muster

sbom: build ## bin/muster.cdx.json: what muster links, with licences and digests, as CycloneDX
	$(TOOL) cyclonedx-gomod app -json -licenses -std -noserial -main cmd/muster -output bin/muster.cdx.json .

demo: build ## serves three years of a synthetic coalition (DEMOFLAGS=--headless: in the terminal)
	bin/muster demo $(DEMOFLAGS)

picture: build ## docs/picture.png, the first screen of the picture of invented members (needs Chromium)
	tools/picture.sh docs/picture.png

storybook: ## every page from fixtures, in a browser on this machine, until Ctrl-C
	$(GO) run ./test/browser/storybook

test: ## every test, with the shared data (MUSTER_SHARED, else ../shared) and PostgreSQL where they are
	$(GOTEST) -timeout 20m $(TESTFLAGS) ./...

test-all: ## the long run: MUSTER_LONG=1, race detector, peers, every fuzz target, every system
	modules=$$(mktemp -d) && trap 'rm -rf "$$modules"' EXIT && tools/modules.sh "$$modules" && \
		MUSTER_LONG=1 MUSTER_BROWSER=required MUSTER_BROWSER_MODULES="$$modules" $(GO) test -count=1 -timeout 120m ./...
	$(GO) test -tags peers -count=1 -v ./test/peers
	[ "$$($(GO) env GOHOSTARCH)" != amd64 ] || GOARCH=386 $(GO) test -count=1 -run Golden ./internal/cascade
	! command -v qemu-aarch64-static || GOARCH=arm64 $(GO) test -count=1 -exec qemu-aarch64-static -run Golden ./internal/cascade
	CGO_ENABLED=1 $(GO) test -race -count=1 -timeout 60m ./...
	$(GO) test -C tools ./...
	$(MAKE) fuzz
	$(MAKE) cross

bench: ## every benchmark (BENCH=pattern COUNT=6 to compare)
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) ./...

benchstat: ## compares two outputs of make bench (OLD=file NEW=file)
	$(TOOL) benchstat $(OLD) $(NEW)

fuzz: ## every fuzz target, each for FUZZTIME
	tools/fuzz.sh $(FUZZTIME)

format: ## writes every file as gofumpt has it
	$(TOOL) gofumpt -w .

lint: ## gofumpt, go vet, staticcheck
	@unformatted=$$($(TOOL) gofumpt -l .) && \
		if [ -n "$$unformatted" ]; then echo "not as gofumpt writes it (make format):"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) vet -C tools ./...
	$(TOOL) staticcheck ./...

cross: ## compiles for every system, and vets for Windows (TARGETS="windows/amd64")
	@set -e; for target in $(TARGETS); do \
		echo "build $$target"; \
		GOOS=$${target%/*} GOARCH=$${target#*/} $(GO) build $(BUILDVCS) ./...; \
	done
	GOOS=windows $(GO) vet ./...

generate: ## rebuilds every generated file
	$(GO) generate ./...

tidy-check: ## go.mod and go.sum say what the code needs, and no byte of a module changed
	$(GO) mod verify
	$(GO) mod tidy -diff
	cd tools && $(GO) mod verify && $(GO) mod tidy -diff

vuln: ## known vulnerabilities in what the program calls (asks a database on the network)
	$(TOOL) govulncheck ./...

clean: ## removes what was built
	rm -rf bin
