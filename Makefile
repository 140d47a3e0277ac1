# Every target sets up what it needs in .venv; a second call finds it there. Great Expectations has
# .venv/gx for itself, Airflow .venv/airflow, Superset .venv/superset.
# `make help` lists the targets.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: run environments up down superset superset-down test test-long test-sdmx-client test-airflow \
	test-superset test-browser pictures lint bench bench-dashboards clean lock help

PYTHON := .venv/bin/python
CITYLAKE := .venv/bin/citylake
PYTEST := $(PYTHON) -m pytest -n 2 --dist loadgroup

# An environment of somebody else's must not leak into ours; without byte code kept, each of the many
# processes of a run compiles its modules anew.
unexport VIRTUAL_ENV PYTHONHOME PYTHONPATH PYTHONDONTWRITEBYTECODE
export DO_NOT_TRACK := 1

RUNTIME := .venv/.runtime-installed
DEV := .venv/.dev-installed
GX := .venv/gx/.installed
AIRFLOW := .venv/airflow/.installed
AXE_VERSION := 4.14.1
CHROMIUM := command -v chromium >/dev/null || { apt-get update -qq && apt-get install -y -qq \
	--no-install-recommends chromium fonts-noto-core; } >/dev/null
SUPERSET := .venv/superset/.installed

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 24

run: $(RUNTIME) $(GX) ## demo city: history in bulk, then three days, through the gate to releases
	@$(CITYLAKE) demo run --city danang

up: $(RUNTIME) $(GX) $(AIRFLOW) ## Airflow and the demo city on this machine, in the background
	@$(CITYLAKE) airflow up --city danang

down: $(RUNTIME) ## end what `make up` started
	@$(CITYLAKE) airflow down

superset: $(RUNTIME) $(GX) $(SUPERSET) ## Superset on this machine with the demo city's dashboards, in the background
	@$(CITYLAKE) superset up --city danang

superset-down: $(RUNTIME) ## end what `make superset` started
	@$(CITYLAKE) superset down

test: $(DEV) $(GX) ## tests, without those that take minutes
	@$(PYTEST) -m "not long and not airflow and not browser and not superset"

test-long: $(DEV) $(GX) ## the tests that take minutes
	@$(PYTEST) -m long

test-sdmx-client: $(DEV) .venv/sdmx/.installed ## the demo's SDMX server against a client that is not ours
	@$(PYTEST) -n 0 tests/unit/demo/test_statistics_client.py

environments: $(DEV) $(GX) $(AIRFLOW) $(SUPERSET) .venv/sdmx/.installed ## every environment that a test needs

test-airflow: $(DEV) $(GX) $(AIRFLOW) ## a real Airflow runs the city
	@CITYLAKE_REQUIRE_AIRFLOW=1 $(PYTHON) -m pytest -n 0 -m airflow tests/airflow

test-superset: $(DEV) $(GX) $(SUPERSET) ## a real Superset shows a city, to each role what is its own
	@CITYLAKE_REQUIRE_SUPERSET=1 $(PYTHON) -m pytest -n 0 -m superset tests/superset

test-browser: $(DEV) .venv/axe/.installed ## the static site in Chromium, by the rules of axe-core
	@$(CHROMIUM)
	@$(PYTHON) -m pytest -n 0 -m browser tests/browser

pictures: $(DEV) $(GX) $(AIRFLOW) $(SUPERSET) ## what people see (site, briefs, Airflow, Superset) in build/pictures, to be looked at
	@command -v pdftoppm >/dev/null || { apt-get update -qq && apt-get install -y -qq \
		--no-install-recommends poppler-utils; } >/dev/null
	@$(CHROMIUM)
	@$(PYTHON) -m tests.pictures.site
	@$(PYTHON) -m tests.pictures.brief
	@$(PYTHON) -m tests.pictures

lint: $(DEV) $(GX) $(AIRFLOW) ## style, format, types and the city's contracts
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy
	@$(PYTHON) -m mypy --python-executable .venv/gx/bin/python --cache-dir .mypy_cache/gx quality/gx.py
	@$(PYTHON) -m mypy --python-executable .venv/airflow/bin/python --cache-dir .mypy_cache/airflow \
		--follow-imports silent dags
	@$(PYTHON) -m check_jsonschema --quiet --builtin-schema vendor.compose-spec docker-compose.yml
	@$(CITYLAKE) contract check --city danang

bench: $(DEV) $(GX) $(AIRFLOW) ## the bare limit and ours, side by side
	@$(PYTHON) -m bench

bench-dashboards: $(DEV) $(GX) $(SUPERSET) ## how long people wait for Superset, over three years of the city
	@$(CHROMIUM)
	@$(PYTHON) -m tests.pictures.waits

lock: $(RUNTIME) ## write requirements/*.txt anew from pyproject.toml
	@requirements/lock.sh

clean: ## remove environment, caches and build output; the lake (.citylake) stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .cache build \
		*.egg-info dbt/target dbt/logs logs
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

$(RUNTIME): pyproject.toml requirements/setup.txt requirements/runtime.txt requirements/install.sh
	@requirements/install.sh runtime
	@touch $@

.venv/sdmx/.installed: $(RUNTIME) requirements/sdmx-client.txt
	@$(PYTHON) -m venv --clear .venv/sdmx
	@.venv/sdmx/bin/python -m pip install --quiet --no-deps --require-hashes \
		-r requirements/sdmx-client.txt
	@touch $@

.venv/axe/.installed: $(RUNTIME)
	@npm install --silent --no-save --no-audit --no-fund --ignore-scripts --prefix .venv/axe \
		axe-core@$(AXE_VERSION)
	@touch $@

$(DEV): $(RUNTIME) requirements/dev.txt
	@requirements/install.sh dev
	@touch $@

$(GX): $(RUNTIME) requirements/gx.txt
	@requirements/install.sh gx
	@touch $@

$(AIRFLOW): $(RUNTIME) requirements/airflow.txt
	@requirements/install.sh airflow
	@touch $@

$(SUPERSET): $(RUNTIME) requirements/superset.txt
	@requirements/install.sh superset
	@touch $@
