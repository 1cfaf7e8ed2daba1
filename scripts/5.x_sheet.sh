#!/usr/bin/env bash
# Step 5.x: a contact sheet of an exported model: source face, target face, swapped.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage sheet "$@"
