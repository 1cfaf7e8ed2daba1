"""What a training run leaves in the model folder, for a page that watches it; and what the page may ask of it."""
