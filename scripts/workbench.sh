#!/usr/bin/env bash
# One page for what is done by eye and hand, and for starting and watching every step: prints a link for your browser.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage workbench "$@"
