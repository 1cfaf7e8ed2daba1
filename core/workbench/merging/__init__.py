"""Frames as a merge would make them, for the page."""
