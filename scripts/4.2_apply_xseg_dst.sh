#!/usr/bin/env bash
# Step 4.2: give every face a segmentation mask, when XSeg weights are there.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage mask dst "$@"
