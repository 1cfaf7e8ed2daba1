#!/usr/bin/env bash
# Name the faces of data_src/aligned/ after their frames again.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage recover-names src "$@"
