#!/usr/bin/env bash
# Brings .venv to a hash-locked state: `install.sh runtime` or `install.sh dev`.
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
install() {
  if ! .venv/bin/uv pip install --quiet --system-certs --python "$python" --no-deps "$@" \
    2>/dev/null; then
    echo "uv cannot install here; pip does, which takes longer" >&2
    "$python" -m pip install --quiet --no-deps "$@"
  fi
}

if ! "$python" -c "$usable" >/dev/null 2>&1; then
  echo "setting up .venv (once)" >&2
  create_environment
fi
"$python" -m pip install --quiet --no-deps --require-hashes -r requirements/setup.txt
install --require-hashes -r "requirements/$lock.txt"
install --no-build-isolation --editable .
