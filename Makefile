# chaoskit: `make demo` shows it, `make test` checks it; both set up what is missing first.
# Each target can be repeated or interrupted; what is done stays done.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --no-builtin-rules

CHAOSKIT := .venv/bin/chaoskit
PYTEST := .venv/bin/python -m pytest

# What pytest runs: no test that takes long, and of the catalogue's scenarios the everyday ones.
SELECT ?= not soak and not long and (everyday or not row)
# What the machine must be able to do for that.
PURPOSE ?= test
# So many processes at once, 0 for one; on a cluster they take turns where a test needs it for
# itself. Two save a third of the time on two cores; more than cores make the load late.
WORKERS ?= 2
# So many clusters at once: with two, workers do not wait for one another where a test needs one alone.
CLUSTERS ?= 1
# Further options for pytest: make test ARGS="-k rollout -x"
ARGS ?=
# The descriptor for what the recipes have to complain about (.ci/run gives another, see there).
COMPLAIN ?= 2

.PHONY: help setup demo test test-all soak bench conformance lint types unit architecture docs reference lock clean

help: ## say what there is to make
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

setup: ## pinned Python packages and chaoskit itself in .venv
	@.ci/setup 2>&$(COMPLAIN)

demo: setup ## set up what is missing, run the three scenarios, say where the report is
	@$(CHAOSKIT) doctor --fix --for demo 2>&$(COMPLAIN)
	@exec $(PYTEST) scenarios -m demo $(ARGS) 2>&$(COMPLAIN)

test: setup ## set up what is missing, run every check; pytest's summary comes last
	@$(CHAOSKIT) doctor --fix --for $(PURPOSE) 2>&$(COMPLAIN)
	@exec $(PYTEST) tests scenarios -m "$(SELECT)" -n $(WORKERS) --dist worksteal \
		--chaos-clusters $(CLUSTERS) \
		--junit-xml=reports/test/junit.xml $(ARGS) 2>&$(COMPLAIN)

test-all: ## everything but the long forms of `make soak`
	@$(MAKE) test SELECT="not soak" PURPOSE=test-all CLUSTERS=2

soak: setup ## what takes hours, resumable (ARGS="--list" says what is left, "--only STAGE" chooses)
	@exec .venv/bin/python -m benchmarks.soak $(ARGS) 2>&$(COMPLAIN)

bench: setup ## measure the figures of docs/design on this machine
	@$(CHAOSKIT) doctor --fix --for test 2>&$(COMPLAIN)
	@exec .venv/bin/python -m benchmarks 2>&$(COMPLAIN)

conformance: setup ## Kubernetes' own end-to-end tests against the node image (ARGS=--all: 203)
	@$(CHAOSKIT) doctor --fix --for test 2>&$(COMPLAIN)
	@exec .venv/bin/python -m tests.conformance $(ARGS) 2>&$(COMPLAIN)

lint: setup ## ruff (rules and format) and the layers
	@.venv/bin/ruff check . 2>&$(COMPLAIN)
	@.venv/bin/ruff format --check . 2>&$(COMPLAIN)
	@.venv/bin/lint-imports 2>&$(COMPLAIN)

types: setup ## mypy, strict
	@.venv/bin/mypy 2>&$(COMPLAIN)

unit: setup ## what needs no container engine, in seconds
	@exec $(PYTEST) tests/unit $(ARGS) 2>&$(COMPLAIN)

architecture: setup ## layers, fences, formats, types, Go checks
	@exec $(PYTEST) tests/architecture $(ARGS) 2>&$(COMPLAIN)

docs: setup ## the documentation as HTML in build/docs; a dead link is an error
	@exec .venv/bin/python -m sphinx -q -W --keep-going -b html docs build/docs 2>&$(COMPLAIN)

reference: setup ## write the generated pages of docs/reference
	@.venv/bin/python -m docs.generate_reference 2>&$(COMPLAIN)

lock: setup ## choose newer versions within pyproject.toml's bounds: requirements.lock
	@.venv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --group dev \
		--generate-hashes --no-emit-index-url --no-header --no-annotate \
		--output-file requirements.lock pyproject.toml 2>&$(COMPLAIN)

clean: ## remove .venv, caches and build output (not reports, images or the engine)
	@rm -rf .venv .tox .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache \
		build dist *.egg-info
