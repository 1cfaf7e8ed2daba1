#!/usr/bin/env bash
# Empties workspace/ and lays it out anew; what was there goes to workspace/.trash (--purge deletes it).
. "$(dirname "${BASH_SOURCE[0]}")/scripts/_lib.sh"
stage clear "$@"
