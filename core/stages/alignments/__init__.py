"""``bash scripts/alignments.sh JOB``: jobs on ``faces.db``, where all faces of a side are written down."""
