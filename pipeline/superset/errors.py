"""What can go wrong with Superset itself."""

from warehouse.errors import CitylakeError


class SupersetError(CitylakeError):
    """Superset cannot be set up, started or reached."""
