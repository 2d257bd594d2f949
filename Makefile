# TIMES Energy Analytics. `make serve` and `make test` need Debian with Python 3.11 to 3.13 and
# make, nothing else: the environment in .venv is made when it is missing and brought up to date
# when pyproject.toml or constraints.txt changed.

PYTHON ?= python3
PORT ?= 5006
ADDRESS ?= localhost
# Result files to import, as a shell would read them: DATA="results/*.miroscen other.vd"
DATA ?=
# The name that imported files are published under
DATASET ?= my-data
# What to give pytest: TESTS="tests/test_units.py -k joule"
TESTS ?=

VENV := .venv
RUN := $(VENV)/bin/python

# One environment, and a mark in it for each set of extras installed so far.
SERVE_READY := $(VENV)/.ready-gdx
TEST_READY := $(VENV)/.ready-gdx,test
DEV_READY := $(VENV)/.ready-gdx,test,dev

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help environment serve import test lint format bench demo clean

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo '  make serve DATA="results/*.miroscen other.vd"   serves your files'
	@echo '  Also: PORT=$(PORT) ADDRESS=$(ADDRESS) DATASET=$(DATASET) PYTHON=$(PYTHON) TESTS="..."'

environment: $(DEV_READY) ## Make the environment with all tools for developers

serve: $(SERVE_READY) ## Serve the application; DATA="files" imports those first
ifneq ($(strip $(DATA)),)
	$(RUN) -m catalogs import $(DATA) --name $(DATASET)
endif
	$(RUN) -m app.server --port $(PORT) --address $(ADDRESS)

import: $(if $(strip $(DATA)),$(SERVE_READY)) ## Publish the files of DATA="files" as DATASET
	$(if $(strip $(DATA)),,$(error Say which files to import: make import DATA="results/*.miroscen"))
	$(RUN) -m catalogs import $(DATA) --name $(DATASET)

test: $(TEST_READY) ## Run the tests
	$(RUN) -m pytest --numprocesses 2 --dist loadfile$(if $(TESTS), $(TESTS))

lint: $(DEV_READY) ## Check style, formatting and types
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

format: $(DEV_READY) ## Format the code and mend what can be mended safely
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

bench: $(TEST_READY) ## Measure speed
	$(RUN) -m bench

demo: $(DEV_READY) ## Solve the demo's model again and write its files
	$(RUN) -m catalogs.demo.generate

clean: ## Remove the environment and caches; published data stays
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.ready-%: pyproject.toml constraints.txt | $(VENV)/bin/pip
	@echo 'Installing what pyproject.toml names, with [$*]: a few minutes the first time' >&2
	@$(RUN) -m pip install -qq --constraint constraints.txt --editable '.[$*]'
	@touch '$@'

# Debian keeps what `python3 -m venv` needs in a package of its own. Without it, a system pip can
# fill the environment just as well.
$(VENV)/bin/pip:
	@command -v '$(PYTHON)' >/dev/null || { echo \
	    'There is no $(PYTHON): apt-get install python3 python3-venv, or set PYTHON=/path/to/python3' >&2; exit 1; }
	@'$(PYTHON)' -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || { echo \
	    "Python 3.11 to 3.13 is needed, and $(PYTHON) is $$('$(PYTHON)' -V 2>&1): set PYTHON=/path/to/python3" >&2; exit 1; }
	@if '$(PYTHON)' -c 'import ensurepip' 2>/dev/null; then \
	    '$(PYTHON)' -m venv $(VENV); \
	elif '$(PYTHON)' -m pip --version >/dev/null 2>&1; then \
	    '$(PYTHON)' -m venv --without-pip $(VENV) && \
	    '$(PYTHON)' -m pip --python $(VENV)/bin/python install --quiet pip; \
	else \
	    echo '$(PYTHON) can make no environment: apt-get install python3-venv' >&2; exit 1; \
	fi
