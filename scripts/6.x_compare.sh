#!/usr/bin/env bash
# Step 6.x: target, swapped and source film side by side.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage compare "$@"
