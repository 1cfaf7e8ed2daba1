"""What is asked of all faces of a side, and what is decided about them: the database leads, the files follow."""
