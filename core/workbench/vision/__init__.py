"""Networks in a process of their own: where the points of a face are, and where a face went."""
