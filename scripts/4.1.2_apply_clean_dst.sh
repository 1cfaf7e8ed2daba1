#!/usr/bin/env bash
# Step 4.1.2: the bad faces go to the trash, and faces.db follows aligned/: also what you deleted there.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
step sort dst --by clean --apply "$@"
stage alignments remove-faces dst
