#!/usr/bin/env bash
# Step 4.1: sort the faces, group them by person, or find the bad ones (--by clean).
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage sort dst "$@"
