#!/usr/bin/env bash
# Step 4.1.1: which faces are bad, and why; a page with pictures. Nothing is moved.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage sort dst --by clean "$@"
