#!/usr/bin/env bash
# The trained face in live pictures: prints a link to a page of this computer, which shows them.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage live "$@"
