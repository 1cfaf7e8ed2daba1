"""Alignments of other programs: out of the database, and into it."""
