"""Stages on the masks of a side: making, labels, a report."""
