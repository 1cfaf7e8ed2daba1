#!/usr/bin/env bash
# Step 5.x: how good the masks of the faces in data_dst/aligned/ look, the worst on a contact sheet.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage mask-report dst "$@"
