#!/usr/bin/env bash
# Step 3.1.1: which faces are bad, and why; a page with pictures. Nothing is moved.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage sort src --by clean "$@"
