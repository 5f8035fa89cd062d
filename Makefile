# Needs Python 3.11 or later and make, nothing else. `make` alone lists what there is.

PYTHON    ?= python3
EXECUTORS ?= 1
SEED      ?= 1
RUNS      ?= 1
SECONDS   ?= 120
AT_ONCE   ?= 3
ONLY      ?=
THREE     ?=
BACK      ?=
BIN       := .venv/bin
# Tools run as modules: a command that pip installs names its interpreter by the whole path, and cannot be started
# in a folder whose name has a quote or is long.
LINT_IMPORTS := $(BIN)/python -c 'import sys; from importlinter.cli import lint_imports_command as run; sys.exit(run())'
# Makes clients of docs/openapi/*.json, for the tests.
GENERATOR := .venv/generator
STAMP     := .venv/.up-to-date
COMPILE    = $(BIN)/python -m piptools compile --quiet --upgrade --no-emit-index-url --no-emit-trusted-host \
             --no-emit-find-links --no-emit-options --no-header --strip-extras

.DEFAULT_GOAL := help
.PHONY: help setup run stop clean fmt check chart-check api-lint test-unit test test-containers s3-test containers-test fuzz chaos back bench env lock

help: ## Show this list
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 12

setup: $(STAMP) ## Make .venv and fetch the local servers (quick when up to date)

$(STAMP): pyproject.toml deploy/requirements-dev.txt deploy/requirements-generator.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Dialstream needs Python 3.11 or later; set PYTHON=")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r deploy/requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	test -x $(GENERATOR)/bin/python || $(PYTHON) -m venv $(GENERATOR)
	$(GENERATOR)/bin/python -m pip install --quiet --disable-pip-version-check -r deploy/requirements-generator.txt
	$(BIN)/python -m deploy.local install
	@touch $@

run: setup ## Start everything, dial the demo list, stay up until Ctrl-C; EXECUTORS=3 for three executors
	$(BIN)/python -m deploy.local.run --executors $(EXECUTORS)

stop: ## Stop the local Kafka and MongoDB; their data stays
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m deploy.local stop; fi

clean: stop ## Stop them and delete their data, logs and downloads, and all caches
	rm -rf .local .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache
	rm -f $(STAMP)

fmt: setup ## Format the code and repair what ruff can repair
	$(BIN)/python -m ruff format .
	$(BIN)/python -m ruff check --fix .

check: setup chart-check ## Formatting, lint, types, import rules, the chart
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m ruff check .
	$(BIN)/python -m mypy
	$(LINT_IMPORTS)

chart-check: setup ## Lint and render the Helm chart with three sets of values; Kubernetes' and KEDA's schemas, settings
	$(BIN)/python -m deploy.helm

api-lint: setup ## Lint the API documents by Redocly's rules (needs npm)
	REDOCLY_TELEMETRY=off npx --yes @redocly/cli@2.77.0 lint --config deploy/redocly.yaml docs/openapi/*.json

test-unit: setup ## Only the tests that need no server
	$(BIN)/python -m pytest tests/unit

test: setup check ## Everything, in two processes side by side; starts Kafka and MongoDB if need be, and stops what it started
	$(BIN)/python -m tests.side_by_side

test-containers: setup ## All of tests/integration on servers in Docker; DIALSTREAM_OWN_ENGINE=1 installs an engine for it
	DIALSTREAM_TEST_SERVERS=docker $(BIN)/python -m deploy.containers run $(BIN)/python -m pytest tests/integration

s3-test: setup ## Files and their URLs on a real S3 server; builds it once, in some minutes (needs Go)
	DIALSTREAM_TEST_S3=versitygw $(BIN)/python -m pytest tests/contract/test_file_stores.py tests/contract/test_s3_urls.py

containers-test: setup ## Build, start, dial, kill, take down and start docker-compose.yml; DIALSTREAM_OWN_ENGINE=1 as above
	$(BIN)/python -m deploy.containers check

fuzz: setup ## Only the tests with random input, at length: dialing protocol, topics, HTTP interface; SEED=2 for others
	DIALSTREAM_FUZZ_SEED=$(SEED) DIALSTREAM_PROTOCOL_EXAMPLES=500 DIALSTREAM_OPENAPI_EXAMPLES=300 $(BIN)/python -m pytest \
		--timeout=7200 tests/integration/protocol/test_protocol.py tests/integration/topic_fuzz \
		tests/integration/campaign_api/test_openapi_fuzz.py tests/integration/dialects/test_openapi_fuzz.py

chaos: setup ## Break a running system at random; the carrier's record judges (docs/reliability.md); SEED=1 RUNS=1 SECONDS=120 AT_ONCE=3 ONLY=regex; THREE=1: loses each of three nodes
	$(BIN)/python -m tests.chaos --seed $(SEED) --runs $(RUNS) --seconds $(SECONDS) --at-once $(AT_ONCE) --only '$(ONLY)' \
		$(if $(THREE),--three)

back: setup ## How soon calls go on after each fault, alone (docs/reliability.md); BACK=--three for three brokers
	$(BIN)/python -m tests.chaos.back $(BACK)

bench: setup ## Measure the pipeline against a bare loop (docs/benchmarks.md)
	$(BIN)/python -m tests.bench

env: setup ## Write .env.example anew from the settings classes
	$(BIN)/python -m deploy.env_example

lock: setup ## Pin the dependencies of pyproject.toml anew
	$(COMPILE) --output-file deploy/requirements.txt pyproject.toml
	$(COMPILE) --output-file deploy/requirements-dev.txt --extra local --extra dev --constraint deploy/requirements.txt pyproject.toml
	$(COMPILE) --output-file deploy/requirements-generator.txt deploy/generator.in
	$(COMPILE) --output-file deploy/requirements-containers.txt --extra containers --constraint deploy/requirements.txt pyproject.toml
