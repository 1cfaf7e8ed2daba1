#!/usr/bin/env bash
# Step 5.x: list, back up or restore the saves of a model.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage model "$@"
