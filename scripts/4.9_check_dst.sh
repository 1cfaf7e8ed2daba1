#!/usr/bin/env bash
# Look the faceset in data_dst/aligned/ over.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage check-faceset dst "$@"
