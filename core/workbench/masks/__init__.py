"""What the Masks screen knows of the masks of faces."""
