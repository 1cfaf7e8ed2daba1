"""Stages on the faces of a side: order, pak, names, sizes, metadata."""
