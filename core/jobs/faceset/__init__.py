"""Jobs on the faces of a side: sorting, cleaning, grouping, names, sizes, a look-over."""
