#!/usr/bin/env bash
# Step 5.x: how good a model's swaps are, in words and figures; --compare A B: what got better, what got worse.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage quality "$@"
