#!/usr/bin/env bash
# Brings .venv to a hash-locked state: `install.sh runtime` or `install.sh dev`. `install.sh gx`,
# `install.sh airflow` and `install.sh superset` do so for .venv/gx, .venv/airflow and .venv/superset,
# the environments of Great Expectations, Airflow and Superset, which .venv (there by then) does not see.
# Needs a Python 3.11 or 3.12 with its venv module, and the Python package index.
set -euo pipefail
cd "$(dirname "$0")/.."

lock=$1
python=.venv/bin/python
usable='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))'
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
# uv does not read pip's variable; where somebody has set an index for pip, it holds for both.
if [ -n "${PIP_INDEX_URL:-}" ] && [ -z "${UV_DEFAULT_INDEX:-}" ]; then
  export UV_DEFAULT_INDEX="$PIP_INDEX_URL"
fi

find_python() {
  local candidate
  for candidate in python3.11 python3.12 python3 python; do
    if "$candidate" -c "$usable" >/dev/null 2>&1; then
      echo "$candidate"
      return
    fi
  done
  echo "citylake needs Python 3.11 or 3.12; neither is on PATH" >&2
  return 1
}

create_environment() {
  local found
  found=$(find_python)
  "$found" -m venv --clear .venv || {
    echo "citylake: $found cannot create .venv; is its venv module installed?" >&2
    return 1
  }
}

# uv takes a quarter of pip's time; pip does the same work where uv cannot (it trusts other
# certificates and reads other settings).
with_uv() {
  local command=$1
  shift
  .venv/bin/uv pip "$command" --quiet --system-certs "$@" 2>/dev/null
}

with_pip() {
  echo "uv cannot install here; pip does, which takes longer" >&2
  "$python" -m pip --python "$1" install --quiet --no-deps "${@:2}"
}

# Brings the environment of $1 to the lock $2. uv also removes what neither this nor a further lock
# names: it would hide that something needs it, and every process that looks for it would pay.
bring_to() {
  # Compiled once here, as pip does, and not by every process that starts.
  with_uv sync --python "$1" --require-hashes --compile-bytecode "${@:2}" || with_pip "$1" --require-hashes -r "$2"
}

install_project() {
  with_uv install --python "$1" --no-deps --no-build-isolation --editable . ||
    with_pip "$1" --no-build-isolation --editable .
}

if [ "$lock" = gx ] || [ "$lock" = airflow ] || [ "$lock" = superset ]; then
  own=.venv/$lock/bin/python
  if ! "$own" -c "$usable" >/dev/null 2>&1; then
    echo "setting up .venv/$lock (once)" >&2
    "$python" -m venv --clear --without-pip ".venv/$lock"
  fi
  if [ "$lock" != airflow ]; then
    bring_to "$own" "requirements/$lock.txt"
  else
    bring_to "$own" requirements/airflow.txt requirements/setup.txt
    install_project "$own"
  fi
  exit
fi

if ! "$python" -c "$usable" >/dev/null 2>&1; then
  echo "setting up .venv (once)" >&2
  create_environment
fi
# An environment of a developer stays one.
if [ -e .venv/.dev-installed ]; then
  lock=dev
fi
"$python" -m pip install --quiet --no-deps --require-hashes -r requirements/setup.txt
bring_to "$python" "requirements/$lock.txt" requirements/setup.txt
install_project "$python"
