#!/usr/bin/env bash
# Step 5: train until TARGET_ITER (without a number: to the end of the schedule, else until stopped), save, export the .dfm. --fit only measures.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage train "$@"
