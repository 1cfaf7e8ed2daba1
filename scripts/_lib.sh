#!/usr/bin/env bash
# What every script begins with: the environment, and how a stage is called.
set -euo pipefail
# shellcheck source=env.sh
. "$(dirname "${BASH_SOURCE[0]}")/../env.sh"

# Replaces this shell, so that signals reach the stage and its exit code is the script's. -P: a folder named core in
# the current directory is not ours.
stage() {
  local script
  script="$(cd "$(dirname "$0")" && pwd -P)/$(basename "$0")"
  export FORGE_SCRIPT="bash ${script#"$FORGE_ROOT"/}"  # as help calls it
  exec "$FORGE_PYTHON" -P -m core "$@"
}
