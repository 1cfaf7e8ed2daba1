#!/usr/bin/env bash
# Step 6, by hand: export workspace/model as a .dfm that live programs load.
. "$(dirname "${BASH_SOURCE[0]}")/scripts/_lib.sh"
stage export "$@"
