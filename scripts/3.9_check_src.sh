#!/usr/bin/env bash
# Check the faceset in data_src/aligned/: counts, damaged files, missing metadata.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage check-faceset src "$@"
