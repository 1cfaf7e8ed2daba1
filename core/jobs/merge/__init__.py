"""Merging: the trained face put into the film."""
