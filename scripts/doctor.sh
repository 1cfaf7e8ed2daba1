#!/usr/bin/env bash
# What this machine, the installation and the workspace have, and what the next step is.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage doctor "$@"
