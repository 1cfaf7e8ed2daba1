#!/usr/bin/env bash
# Step 4.3: pack the faces into aligned/faceset.pak.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage pack dst "$@"
