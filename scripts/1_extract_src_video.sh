#!/usr/bin/env bash
# Step 1: frames from workspace/data_src.* into workspace/data_src/.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage frames src "$@"
