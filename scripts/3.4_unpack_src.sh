#!/usr/bin/env bash
# Step 3.4: unpack aligned/faceset.pak into single faces.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage unpack src "$@"
