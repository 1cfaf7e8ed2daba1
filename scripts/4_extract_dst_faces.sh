#!/usr/bin/env bash
# Step 4: faces from the frames into workspace/data_dst/aligned/.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage faces dst "$@"
