"""Alignments of other programs."""
