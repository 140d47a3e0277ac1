"""What can go wrong with reports in Superset."""

from warehouse.errors import CitylakeError


class ReportsError(CitylakeError):
    """Reports that are wrong in themselves, or that a server did not take."""


class LoginError(ReportsError):
    """Superset does not know a user with the password that was given."""
