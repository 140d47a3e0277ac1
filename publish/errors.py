"""Failures of publishing."""

from warehouse.errors import CitylakeError


class ReleaseError(CitylakeError):
    """A release that cannot be written, or is not what it says it is."""
