#!/usr/bin/env bash
# Step 6: the trained face in the film: workspace/result.mp4, with its sound, labelled.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage merge dst "$@"
