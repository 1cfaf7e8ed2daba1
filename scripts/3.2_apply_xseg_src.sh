#!/usr/bin/env bash
# Step 3.2: give every face a mask, by XSeg if its weights are there, or by another masker (--masker).
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage mask src "$@"
