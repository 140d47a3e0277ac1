"""What can go wrong around Airflow."""

from warehouse.errors import CitylakeError


class OrchestrationError(CitylakeError):
    """Airflow cannot be started, found or ended."""
