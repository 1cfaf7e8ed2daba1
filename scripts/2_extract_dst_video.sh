#!/usr/bin/env bash
# Step 2: frames from workspace/data_dst.* into workspace/data_dst/.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage frames dst "$@"
