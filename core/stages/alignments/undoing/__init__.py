"""Taking back what was done to faces."""
