#!/usr/bin/env bash
# Step 3.1: sort the faces, group them by person, or find the bad ones (--by clean).
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage sort src "$@"
