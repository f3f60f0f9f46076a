# The recipes of this repository; people and CI call the same ones. `make` prints the table.
# Pass options through ARGS, as in `make run ARGS="--for 60s"` or `make test ARGS="-k nonce"`.

.DEFAULT_GOAL := help
VENV := .venv
SDK_VENV := .venv-sdk
FAST_VENV := .venv-fast
BIN := $(VENV)/bin
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --no-input
LOCKED := --require-hashes --only-binary :all:
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

# --- environments: a stamp file is newer than all that went into it --------------------------------

$(BIN)/python:
	@tools/venv.sh $(VENV)

# The package is compiled here so that its first start is as quick as its second. So is native/, where
# a C compiler is; without one the same work is done in plain Python (docs/decisions/004-native-signer.md).
$(VENV)/.installed: requirements.lock requirements-build.lock pyproject.toml tools/native_build.py $(wildcard native/*) | $(BIN)/python
	@echo "installing lighterman into $(VENV)"
	@$(BIN)/python $(PIP_INSTALL) $(LOCKED) -r requirements.lock -r requirements-build.lock
	@$(BIN)/python $(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q src
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.installed
	@echo "installing what tests and lint need into $(VENV)"
	@$(BIN)/python $(PIP_INSTALL) $(LOCKED) -r requirements-dev.lock
	@touch $@

$(VENV)/.profile: requirements-profile.lock $(VENV)/.installed
	@echo "installing the profilers into $(VENV)"
	@$(BIN)/python $(PIP_INSTALL) $(LOCKED) -r requirements-profile.lock
	@touch $@

$(VENV)/.official: requirements-official.txt | $(BIN)/python
	@echo "installing the official signer library into $(VENV)"
	@$(BIN)/python $(PIP_INSTALL) $(LOCKED) --no-deps -r requirements-official.txt
	@touch $@

$(SDK_VENV)/.installed: requirements-sdk.txt
	@tools/venv.sh $(SDK_VENV)
	@echo "installing the official Python client into $(SDK_VENV), for the tests that speak to our exchange with it"
	@$(SDK_VENV)/bin/python $(PIP_INSTALL) $(LOCKED) -r requirements-sdk.txt
	@touch $@

# The trading path compiled (docs/decisions/006-compiled-rooms.md), in an environment of its own: nothing else needs it.
$(FAST_VENV)/.installed: requirements.lock requirements-dev.lock pyproject.toml tools/native_build.py tools/fast_build.py \
		$(wildcard native/*) $(shell find src -type f -not -name '*.pyc' -not -name '*.so')
	@test -x $(FAST_VENV)/bin/python || tools/venv.sh $(FAST_VENV)
	@echo "compiling the trading path into $(FAST_VENV): a minute"
	@$(FAST_VENV)/bin/python $(PIP_INSTALL) $(LOCKED) -r requirements.lock -r requirements-dev.lock
	@LIGHTERMAN_COMPILED=require $(FAST_VENV)/bin/python $(PIP_INSTALL) --no-deps --no-build-isolation --force-reinstall .
	@touch $@

# --- using it --------------------------------------------------------------------------------------

.PHONY: help
help: ## print this table
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: install
install: $(VENV)/.installed ## make .venv with the lighterman command (quick when it is there)

.PHONY: install-official
install-official: $(VENV)/.installed $(VENV)/.official ## add the official signer library, without its package's dependencies

.PHONY: run
run: install ## market maker on a local exchange with configs/config.json; Ctrl-C stops it
	@$(BIN)/lighterman run -c configs/config.json --mode local $(ARGS)

.PHONY: demo
demo: install ## the same with no configuration at all
	@$(BIN)/lighterman demo $(ARGS)

.PHONY: bench
bench: $(VENV)/.installed $(VENV)/.official $(SDK_VENV)/.installed $(wildcard $(FAST_VENV)/.installed) ## all benchmarks into docs/benchmarks.md and build/benchmarks.json (ARGS=--quick: a look)
	@LIGHTERMAN_COMPILED_PYTHON=$(wildcard $(FAST_VENV)/bin/python) $(BIN)/python benchmarks/run.py --out build/benchmarks.json --docs docs/benchmarks.md --soak build/soak.jsonl $(ARGS)

.PHONY: bench-check
bench-check: $(VENV)/.installed $(VENV)/.official $(SDK_VENV)/.installed ## hold a quick run of them against generous bounds on ratios
	@$(BIN)/python benchmarks/check.py $(ARGS)

.PHONY: soak
soak: install ## watch a demo session for 30 minutes: files, threads, memory, queues (ARGS="--minutes 3")
	@$(BIN)/python benchmarks/soak.py $(ARGS)

# --- working on it ---------------------------------------------------------------------------------

.PHONY: deps
deps: $(VENV)/.dev $(VENV)/.official $(SDK_VENV)/.installed ## install everything that tests, lint and recorded tapes need

.PHONY: test
test: deps ## run all tests; a piece that was not installed fails here instead of skipping
	@LIGHTERMAN_REQUIRE=official,sdk $(BIN)/python -m pytest -n 2 --dist worksteal --durations 15 \
		--hypothesis-profile repeatable $(ARGS)

.PHONY: build-fast
build-fast: $(FAST_VENV)/.installed ## compile the trading path into .venv-fast: the same decisions in half the time (needs gcc or clang)

.PHONY: test-fast
test-fast: $(VENV)/.dev $(FAST_VENV)/.installed ## run the tests of the compiled rooms on the compiled build, and compare what both decide
	@$(FAST_VENV)/bin/python -m pytest --hypothesis-profile repeatable tests/house/test_compiled.py \
		tests/domain tests/engine tests/protocol tests/risk tests/strategy tests/runtime/test_replay.py $(ARGS)

.PHONY: race
race: install ## fuzz schedules and faults: two minutes of seeds that nobody has run yet (ARGS="--for 1h")
	@$(BIN)/lighterman sim campaign $(if $(ARGS),$(ARGS),--for 2m)

.PHONY: sim
sim: install ## the long campaign: 200 simulated hours, noted in campaigns.jsonl (ARGS="--seeds 0-99")
	@$(BIN)/lighterman sim campaign --ledger campaigns.jsonl $(if $(ARGS),$(ARGS),--seeds 0- --hours 200)

.PHONY: sim-sweep
sim-sweep: install ## kill -9 before every step of a minute of the bot's life
	@$(BIN)/lighterman sim sweep $(ARGS)

.PHONY: sim-planted
sim-planted: $(VENV)/.dev ## plant every known bug in turn, and run seeds until the simulation notices it (ARGS=NAME)
	@$(BIN)/python tests/simulation/planted/hunt.py $(ARGS)

.PHONY: conformance
conformance: $(VENV)/.installed $(VENV)/.official ## hold the native cryptography against Python and the official library: 100,000 transactions
	$(BIN)/python tools/conformance.py $(ARGS)

SANITIZED := build/sanitized
SANITIZER := LD_PRELOAD="$$(gcc -print-file-name=libasan.so)" ASAN_OPTIONS=detect_leaks=0 PYTHONMALLOC=malloc \
	PYTHONPATH=$(SANITIZED)/src PYTHONDONTWRITEBYTECODE=1 $(BIN)/python
.PHONY: sanitize
sanitize: $(VENV)/.dev ## fuzz the native cryptography under AddressSanitizer and UBSan (needs gcc)
	rm -rf $(SANITIZED)
	mkdir -p $(SANITIZED)
	cp -R src $(SANITIZED)/src
	CC=gcc $(BIN)/python tools/native_build.py --sanitize $(SANITIZED)/src/lighterman/protocol/crypto/_native.abi3.so
	$(SANITIZER) tools/conformance.py --without-official --transactions 5000 $(ARGS)
	$(SANITIZER) -m pytest -q -p no:cacheprovider tests/protocol/test_crypto_native.py tests/signing/test_native.py

.PHONY: lint
lint: $(VENV)/.dev ## style, format, types, floors, spelling, determinism
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/codespell src native tests tools docs configs Makefile *.md
	$(BIN)/python tools/house_lint.py src/lighterman

.PHONY: fmt
fmt: $(VENV)/.dev ## format, and mend what can be mended safely
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

.PHONY: profile-cpu
profile-cpu: $(VENV)/.profile ## flame graph of a demo session into build/profile/ (ARGS="--seconds 60")
	@$(BIN)/python tools/profile_session.py cpu $(ARGS)

.PHONY: profile-mem
profile-mem: $(VENV)/.profile ## what a demo session allocates, and a flame graph of its peak, into build/profile/
	@$(BIN)/python tools/profile_session.py mem $(ARGS)

.PHONY: mocks
mocks: $(VENV)/.dev ## write generated files again: the page of the settings
	$(BIN)/python -m lighterman.config.document > docs/configuration.md

.PHONY: build
build: $(VENV)/.installed ## wheels and source archive into dist/: this platform's with the extension, and one of plain Python
	LIGHTERMAN_NATIVE=require $(BIN)/python -m hatchling build
	LIGHTERMAN_NATIVE=off $(BIN)/python -m hatchling build --target wheel

.PHONY: lock
lock: $(VENV)/.dev ## resolve the locks again (ARGS=--upgrade takes newer versions)
	$(COMPILE) pyproject.toml --all-extras --group build --group dev $(ARGS) -o requirements-dev.lock
	$(COMPILE) pyproject.toml -c requirements-dev.lock $(ARGS) -o requirements.lock
	$(COMPILE) --group build -c requirements-dev.lock $(ARGS) -o requirements-build.lock
	$(COMPILE) --group profile -c requirements-dev.lock $(ARGS) -o requirements-profile.lock

.PHONY: clean
clean: ## remove build products and caches; environments and recorded sessions stay
	rm -rf dist build .coverage* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests tools benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# --- not there yet: these say so and fail -----------------------------------------------------------

.PHONY: docker-build docker-run docker-stop logs
docker-build: ## (later) container image
docker-run: ## (later) start bot, Prometheus and Grafana in containers
docker-stop: ## (later) stop them
logs: ## (later) follow the bot's log in its container
docker-build docker-run docker-stop logs:
	@echo "make $@: not there yet; it comes with deployment" >&2; exit 1
