#!/usr/bin/env bash
# Writes the hash-locked requirements from pyproject.toml. Called by `make lock`.
# Pins that are there stay as they are; `UPGRADE=1 make lock` takes the newest that fit.
set -euo pipefail
cd "$(dirname "$0")/.."

uv=.venv/bin/uv
compile=("$uv" pip compile --quiet --no-config --universal --generate-hashes --no-strip-extras
  --python-version 3.11 --custom-compile-command "make lock")
if [ -n "${UPGRADE:-}" ]; then
  compile+=(--upgrade)
fi

# The editable install runs without build isolation, so its build backend must be locked too.
.venv/bin/python -c '
import tomllib
with open("pyproject.toml", "rb") as project:
    print(*tomllib.load(project)["build-system"]["requires"], sep="\n")
' | "${compile[@]}" requirements/setup.in - --output-file requirements/setup.txt
"${compile[@]}" pyproject.toml --extra dev --extra demo --output-file requirements/dev.txt
# Constrained by the development lock: the same version of a package in both.
"${compile[@]}" pyproject.toml --extra demo --constraints requirements/dev.txt --no-annotate \
  --output-file requirements/runtime.txt
# An environment of its own, in which what both have has the same version too.
"${compile[@]}" --group gx --constraints requirements/dev.txt --no-annotate \
  --output-file requirements/gx.txt
# Airflow with the whole runtime beside it: its tasks are the steps themselves.
"${compile[@]}" pyproject.toml --extra demo --group airflow --constraints requirements/dev.txt \
  --no-annotate --output-file requirements/airflow.txt
# Superset shares no version with the others, but for DuckDB's, which its group names.
"${compile[@]}" --group superset --no-annotate --output-file requirements/superset.txt
# A client for one test, in an environment of its own.
"${compile[@]}" requirements/sdmx-client.in --no-annotate --output-file requirements/sdmx-client.txt
