# Gatehouse. SPDX-License-Identifier: MIT

# The compiler, and what the tests with foreign peers run.
SWIFT ?= swift
export SWIFT
GATEHOUSE_BIN ?= $(CURDIR)/.build/debug/gatehouse
# Seconds for each fuzz target.
FUZZ_SECONDS ?= 10
# Seconds of chaos.
SOAK_SECONDS ?= 1800

# A test that crashes on purpose must not start a debugger.
export SWIFT_BACKTRACE = enable=no

.PHONY: help run build test lint test-sanitizers test-tsan test-asan fuzz bench soak clean

help:
	@echo 'make run              install what is missing, build, and serve gatehouse.json'
	@echo 'make build            build for use, in .build/release'
	@echo 'make test             all tests'
	@echo 'make lint             formatting, layers, sizes, forbidden words'
	@echo 'make test-sanitizers  the tests of Swift under ThreadSanitizer and AddressSanitizer'
	@echo 'make fuzz             fuzz each parser for FUZZ_SECONDS, 10 if not given'
	@echo 'make bench            measure against the floor'
	@echo 'make soak             chaos for SOAK_SECONDS, 1800 if not given, then what docs/reliability.md promises'
	@echo 'make clean            remove what was built'

run: build
	@echo
	@exec .build/release/gatehouse serve --config gatehouse.json

build:
	@scripts/check-swift
	@scripts/install-packages build
	scripts/build-release

test:
	@scripts/check-swift
	@scripts/install-packages test
	scripts/with-own-tmp $(SWIFT) build
	scripts/with-own-tmp $(SWIFT) test
	@if [ -x Tests/Peers/run ]; then GATEHOUSE_BIN='$(GATEHOUSE_BIN)' Tests/Peers/run; fi
	@if [ -x Tests/Soak/run ]; then GATEHOUSE_BIN='$(GATEHOUSE_BIN)' Tests/Soak/run quick; fi

# Warnings of the compiler are errors wherever it runs: Package.swift says so.
lint:
	@scripts/check-swift
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests Fuzz Benchmarks examples
	@scripts/check

# In folders of their own, so that the ordinary build stays as it is. Left out, and why:
#   the tests with foreign peers    most of what they watch is in other processes
#   gatehouse-launcher              it links no C library start-up, which a sanitizer needs
#   scripts/leaks-allowed           leaks of the toolchain's own libraries
test-sanitizers: test-tsan test-asan

test-tsan:
	@scripts/install-packages test
	TSAN_OPTIONS=halt_on_error=1 scripts/with-own-tmp $(SWIFT) test --sanitize=thread --scratch-path .build/tsan

test-asan:
	@scripts/install-packages test
	ASAN_OPTIONS=detect_leaks=1 LSAN_OPTIONS=suppressions=$(CURDIR)/scripts/leaks-allowed:print_suppressions=0 \
		scripts/with-own-tmp $(SWIFT) test --sanitize=address --scratch-path .build/asan

fuzz:
	@scripts/check-swift
	@scripts/install-packages test
	Fuzz/run $(FUZZ_SECONDS)

# BENCH_OPTIONS is passed on, such as --quick.
bench:
	@scripts/check-swift
	@scripts/install-packages test
	Benchmarks/run $(BENCH_OPTIONS)

# SOAK_OPTIONS is passed on to the chaos, such as --seed 7 or --lenient on a machine that does much else.
soak:
	@scripts/check-swift
	@scripts/install-packages test
	scripts/build-release
	GATEHOUSE_BIN='$(CURDIR)/.build/release/gatehouse' Tests/Soak/run chaos --seconds $(SOAK_SECONDS) $(SOAK_OPTIONS)
	GATEHOUSE_BIN='$(CURDIR)/.build/release/gatehouse' Tests/Soak/run reliability

clean:
	rm -rf .build
