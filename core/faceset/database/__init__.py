"""``faces.db``: everything known about the faces of one side. One module a group of tables."""
