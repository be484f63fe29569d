# `make help` lists the targets. Two of them set everything up by themselves: `make run` and `make test`.
SWIFT ?= swift
SECONDS ?= 600
MINUTES ?= 15
SLOTS ?= 10000
# The build that serves and is measured: one executable with Swift's runtime in it (docs/decisions/0018).
RELEASE = -c release -Xswiftc -enforce-exclusivity=unchecked
ifeq ($(shell uname),Linux)
RELEASE += --static-swift-stdlib
# What requests run through lies together in the executable (docs/decisions/0026); `make order` finds out what that is.
RELEASE += -Xswiftc -Xfrontend -Xswiftc -function-sections -Xcc -ffunction-sections -Xswiftc -use-ld=lld \
    -Xlinker --symbol-ordering-file=$(CURDIR)/Bench/functions.order -Xlinker --no-warn-symbol-ordering \
    -Xlinker --no-rosegment
endif
PYTEST = .venv/bin/python -m pytest
# Further arguments for pytest or the benchmark, e.g. make test-clients ARGS='-k multipart'
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test test-unit test-clients conformance check format fuzz soak crashtest bench order microbench \
	statebench clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Install what the build needs, build, and start the gateway with its embedded store in ./data
	@Scripts/install build
	@$(SWIFT) build $(RELEASE) --product gatehouse
	@exec .build/release/gatehouse serve $(ARGS)

test: ## Install what the tests need, and run all of them
	@Scripts/install test
	@$(MAKE) --no-print-directory test-unit test-clients

test-unit: ## Swift tests only
	$(SWIFT) build --build-tests
	$(SWIFT) test --skip-build

test-clients: ## Real S3 clients and real stores against the real binary
	@Scripts/install test
	$(SWIFT) build --product gatehouse
	$(PYTEST) Tests/clients $(ARGS)

conformance: ## A public suite of S3 cases at a store and through Gatehouse; what passes there must pass here
	@Scripts/install conformance
	$(SWIFT) build --product gatehouse
	.venv/bin/python Tests/conformance/conformance.py $(ARGS)

check: ## Format, layers, documents, build without warnings
	@Scripts/install build
	$(SWIFT) format lint --strict --parallel --recursive Sources Tests Package.swift
	Scripts/check-layers
	Scripts/check-docs
	$(SWIFT) build --build-tests

format: ## Put every Swift file into the agreed format
	$(SWIFT) format --in-place --parallel --recursive Sources Tests Package.swift

fuzz: ## Fuzz the parsers that face the network, each for SECONDS (600)
	@Scripts/install build
	Scripts/fuzz $(SECONDS) http1
	Scripts/fuzz $(SECONDS) aws-chunked

soak: ## Mixed load for MINUTES (15) with a bound on memory growth
	@Scripts/install test
	$(SWIFT) build $(RELEASE) --product gatehouse
	Scripts/soak $(MINUTES)

crashtest: ## SLOTS (10000) upload slots with the gateway killed among them; nothing acknowledged may be lost or doubled
	@Scripts/install test
	$(SWIFT) build --product gatehouse
	.venv/bin/python Tests/clients/slot_crash.py $(SLOTS)

bench: ## Measure beside nginx, Envoy, HAProxy and rclone; writes docs/performance.md
	@Scripts/install bench
	$(SWIFT) build $(RELEASE) --product gatehouse
	.venv/bin/python Bench/bench.py $(ARGS)

order: ## Follow requests through the release build, and write down for the linker which functions they run
	@Scripts/install bench
	$(SWIFT) build $(RELEASE) --product gatehouse
	.venv/bin/python Bench/order.py $(ARGS)

microbench: ## CPU time of verifying, deciding and signing one request
	@Scripts/install build
	$(SWIFT) build $(RELEASE) --product microbench
	@.build/release/microbench $(ARGS)

statebench: ## Upload slots a second with durable commits, and flushes per slot
	@Scripts/install build
	$(SWIFT) build $(RELEASE) --product statebench
	@Scripts/statebench

clean: ## Remove what was built, not the data of `make run`
	rm -rf .build .venv Tests/.work
