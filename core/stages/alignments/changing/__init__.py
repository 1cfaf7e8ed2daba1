"""Jobs that decide about faces, cut them out again, and name their files."""
