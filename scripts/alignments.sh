#!/usr/bin/env bash
# Any job on faces.db: bash scripts/alignments.sh JOB src|dst [options]; --help lists the jobs.
. "$(dirname "${BASH_SOURCE[0]}")/_lib.sh"
stage alignments "$@"
