"""Jobs on how faces go on from frame to frame: tracks, persons, smoothing, gaps."""
