#!/usr/bin/env bash
# Step 3.1.3: who is in the film: faces are linked through time and told apart by person.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage alignments tracks src "$@"
