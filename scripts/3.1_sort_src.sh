#!/usr/bin/env bash
# Step 3.1: order the faces so that bad ones are quickly found.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage sort src "$@"
