#!/usr/bin/env bash
# Step 1.1: the src film with its frames and faces put away for another one; --back newest brings it back.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage archive src "$@"
