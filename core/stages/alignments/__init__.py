"""``python -m core alignments JOB``: jobs on ``faces.db``, where all faces of a side are written down."""
