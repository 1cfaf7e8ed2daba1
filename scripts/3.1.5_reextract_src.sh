#!/usr/bin/env bash
# Step 3.1.5: cut out again what is missing or out of date.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage alignments extract src "$@"
