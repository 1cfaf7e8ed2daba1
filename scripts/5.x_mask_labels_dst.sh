#!/usr/bin/env bash
# Step 5.x: labels for masks of the faces in data_dst/aligned/: list those that need one, export them to an editor, take them back.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage mask-labels dst "$@"
