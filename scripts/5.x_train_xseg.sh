#!/usr/bin/env bash
# Step 5.x: train XSeg, the mask network, on faces with labels, until iteration N (without a number: until stopped).
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage train-xseg "$@"
