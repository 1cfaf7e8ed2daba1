"""What the database knows about faces, out to the files of other programs and back."""
