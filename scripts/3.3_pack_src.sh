#!/usr/bin/env bash
# Step 3.3: pack the faces into aligned/faceset.pak.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage pack src "$@"
