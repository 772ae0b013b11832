# Everything a newcomer needs; `make help` lists it. Nothing but make and a Python >= 3.11 must be there before.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# What the caller's shell had active must not decide what is installed or imported here.
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV

python := .venv/bin/python
pip := $(python) -m pip --disable-pip-version-check --quiet
base := .venv/base.stamp
dev := .venv/dev.stamp
compile := CUSTOM_COMPILE_COMMAND="make lock" .venv/bin/pip-compile --quiet --generate-hashes --strip-extras \
	--allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options
# One more than there are processors: many tests wait for processes rather than compute. Those that say how soon
# something is have the machine to themselves afterwards.
TESTS ?= -n $(shell $(python) -c 'import os; print(os.cpu_count() + 1)') --dist loadfile --no-loadscope-reorder -m "not timed"
SECONDS ?= 60
SEED ?= 1
BUS ?= postgres

.PHONY: help up down setup test check bench chaos trace schemas lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' Makefile

up: $(base) ## set up what is missing and run the suite here; Ctrl-C stops it
	@exec .venv/bin/kehu up

down: $(base) ## stop a suite that was started with `kehu up --detach`
	@.venv/bin/kehu down

setup: $(dev) ## install everything, tools and local Kafka included

test: check ## every check and every test (TESTS="-k name" picks some)
	$(python) -m pytest $(TESTS)
	$(if $(filter file,$(origin TESTS)),$(python) -m pytest -m timed)

check: $(dev) ## format, lint, types, imports, generated files
	$(python) -m ruff format --check .
	$(python) -m ruff check .
	$(python) -m mypy
	.venv/bin/lint-imports
	$(python) -m shared.events --check
	$(python) -m shared.regime check

bench: $(dev) ## benchmarks, as ratios to a floor measured in the same run
	$(python) -m bench

chaos: $(dev) ## kill and pause processes while clients write, then count (SECONDS=60 SEED=1 BUS=postgres|kafka)
	$(python) -m tests.reliability.chaos --seconds $(SECONDS) --seed $(SEED) --bus $(BUS)

trace: $(dev) ## which tests and definitions prove which requirement
	@$(python) -m tests.trace

schemas: $(dev) ## write the schemas of events and definitions, and their documents, again
	$(python) -m shared.events
	$(python) -m shared.regime schemas

lock: $(dev) ## pin the dependencies of pyproject.toml again
	$(compile) --output-file requirements/base.txt pyproject.toml requirements/build.in
	$(compile) --extra dev --extra kafka-local --constraint requirements/base.txt \
		--output-file requirements/dev.txt pyproject.toml requirements/build.in

clean: ## remove what was built; data stay
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.kehu/*' -prune -exec rm -rf {} +

$(python):
	@for candidate in python3.11 python3.12 python3.13 python3.14 python3 python; do \
		if $$candidate -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "Making .venv with $$($$candidate --version)"; exec $$candidate -m venv --clear .venv; \
		fi; \
	done; echo "Kehu needs Python 3.11 or later with its venv module (Debian: apt install python3-venv)." >&2; exit 1

$(base): requirements/base.txt pyproject.toml | $(python)
	@echo "Installing Kehu"
	@$(pip) install --require-hashes -r requirements/base.txt
	@$(pip) install --no-deps --no-build-isolation --editable .
	@touch $@

$(dev): requirements/dev.txt $(base)
	@echo "Installing the tools and the local Kafka"
	@$(pip) install --require-hashes -r requirements/dev.txt
	@touch $@
