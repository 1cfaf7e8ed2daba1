#!/usr/bin/env bash
# Resize the faces of data_dst/aligned/, or cut them as another face type.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage resize-faceset dst "$@"
