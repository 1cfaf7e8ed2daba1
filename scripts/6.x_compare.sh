#!/usr/bin/env bash
# Step 6.x: target, swapped and source film side by side (--reverse: of the swap the other way).
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage compare "$@"
