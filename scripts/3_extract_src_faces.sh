#!/usr/bin/env bash
# Step 3: faces from the frames into workspace/data_src/aligned/.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage faces src "$@"
