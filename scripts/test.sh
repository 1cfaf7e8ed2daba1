#!/usr/bin/env bash
# Sets everything up and passes the tests: linter, type checker, then pytest (arguments go to pytest).
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
export FORGE_DEV=1 WORKSPACE="${WORKSPACE:-$root/workspace}"
# shellcheck source=env.sh
. "$root/env.sh"
cd "$root"
"$FORGE_PYTHON" -m ruff check .
"$FORGE_PYTHON" -m ruff format --check --quiet .
"$FORGE_PYTHON" -m mypy
exec "$FORGE_PYTHON" -m pytest "$@"
