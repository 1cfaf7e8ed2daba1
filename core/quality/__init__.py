"""How good a swap is: measures, the scoring of a model on faces, what it says in words, and a page."""
