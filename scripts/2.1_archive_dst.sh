#!/usr/bin/env bash
# Step 2.1: the dst film with its frames and faces put away for another one; --back newest brings it back.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage archive dst "$@"
