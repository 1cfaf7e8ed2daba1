"""What the screens show and change of the faces and frames of a side."""
