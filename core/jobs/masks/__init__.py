"""Jobs on the masks of a side: a job is a file."""
