#!/usr/bin/env bash
# Before editing faces in an image editor: keep their metadata in data_src/faces.db.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage save-metadata src "$@"
