"""Names of files in the database: also those that are no text, as old archives and other systems leave them."""

# What a name is in the database.
NAME = (str, bytes)


def stored(name: str) -> str | bytes:
    """The value to put into a column. A name that is not UTF-8 goes in as its bytes, which SQLite keeps as they are."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogateescape")
    return name


def restored(value: str | bytes) -> str:
    """The name in a value that came out of a column."""
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value
