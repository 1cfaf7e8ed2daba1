#!/usr/bin/env bash
# What every script begins with: the environment, and how a stage is called.
set -euo pipefail
# shellcheck source=env.sh
. "$(dirname "${BASH_SOURCE[0]}")/../env.sh"

script="$(cd "$(dirname "$0")" && pwd -P)/$(basename "$0")"
export FORGE_SCRIPT="bash ${script#"$FORGE_ROOT"/}"  # as help calls it

# The last or only stage of a script replaces this shell, so that signals reach it and its exit code is the script's.
# -P: a folder named core in the current directory is not ours.
stage() { exec "$FORGE_PYTHON" -P -m core "$@"; }

# A stage that another one follows, if it went well and was no call for help.
step() {
  case " $* " in *" --help "* | *" --help-all "* | *" -h "*) stage "$@" ;; esac
  "$FORGE_PYTHON" -P -m core "$@"
}
