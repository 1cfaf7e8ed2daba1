"""The answers of the server, one module a screen."""
