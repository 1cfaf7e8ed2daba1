"""Jobs on ``faces.db``, where all faces of a side are written down."""
