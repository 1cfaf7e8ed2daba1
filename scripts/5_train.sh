#!/usr/bin/env bash
# Step 5: train until TARGET_ITER (without a number: until stopped), save, export the .dfm.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage train "$@"
