#!/usr/bin/env bash
# Step 4.1.4: what is left to repair: frames without faces, with several, misaligned and outdated faces.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage alignments repair-list dst "$@"
