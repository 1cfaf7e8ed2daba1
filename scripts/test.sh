#!/usr/bin/env bash
# Sets everything up and passes the tests: linter, type checker, then pytest in two processes. Arguments go to pytest;
# with paths among them only those tests run, in one process.
set -euo pipefail
case "${1:-}" in -h | --help) sed -n '2,3s/^# //p' "$0" && exit 0 ;; esac
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
export FORGE_DEV=1 WORKSPACE="${WORKSPACE:-$root/workspace}"
# shellcheck source=env.sh
. "$root/env.sh"
cd "$root"

asks_for_paths() {
  local argument
  for argument in "$@"; do
    if [ -e "${argument%%::*}" ]; then return 0; fi
  done
  return 1
}

if ! asks_for_paths "$@"; then
  "$FORGE_PYTHON" -m ruff check .
  "$FORGE_PYTHON" -m ruff format --check --quiet .
  "$FORGE_PYTHON" -m mypy
  # Whole files, because tests of one share what is costly to make.
  set -- -n 2 --dist loadfile "$@"
fi
exec "$FORGE_PYTHON" -m pytest "$@"
