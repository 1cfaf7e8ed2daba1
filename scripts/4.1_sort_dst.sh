#!/usr/bin/env bash
# Step 4.1: order the faces so that bad ones are quickly found.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage sort dst "$@"
