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

# The tests of pages need a browser. Where it cannot be installed they are skipped, or fail in CI.
install_browser() {
  local name
  for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null; then return 0; fi
  done
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then return 0; fi
  echo "installing Chromium for the tests of pages" >&2
  export DEBIAN_FRONTEND=noninteractive
  if ! { apt-get update && apt-get install --yes --no-install-recommends chromium; } >/dev/null 2>&1; then
    echo "Chromium could not be installed" >&2
  fi
}

asks_for_paths() {
  local argument
  for argument in "$@"; do
    if [ -e "${argument%%::*}" ]; then return 0; fi
  done
  return 1
}

install_browser
if ! asks_for_paths "$@"; then
  "$FORGE_PYTHON" -m ruff check .
  "$FORGE_PYTHON" -m ruff format --check --quiet .
  "$FORGE_PYTHON" -m mypy
  # Whole files, because tests of one share what is costly to make.
  set -- -n 2 --dist loadfile "$@"
fi
exec "$FORGE_PYTHON" -m pytest "$@"
