"""The base of every expected failure."""


class CitylakeError(Exception):
    """A failure that a user can act on: its text is one clear line, free of secrets."""
