#!/usr/bin/env bash
# After editing: put the metadata back into the faces of data_dst/aligned/.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage restore-metadata dst "$@"
