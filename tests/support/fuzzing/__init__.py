"""Damaged and hostile files for every reader: sound samples, what is done to them, and what a reader may answer."""
