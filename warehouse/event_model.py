"""Columns of the event models that indicator expressions may use.

The models themselves are `dbt/models/intermediate/int_*_event.sql`; a test holds the two together.
"""

from collections.abc import Mapping

EVENT_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "service_request": {
        "service_code": "VARCHAR",
        "agency_responsible": "VARCHAR",
        "opened_date": "DATE",
        "due_date": "DATE",
        "closed_date": "DATE",
        "is_closed": "BOOLEAN",
        "has_deadline": "BOOLEAN",
        "is_closed_on_time": "BOOLEAN",
        "is_closed_late": "BOOLEAN",
        "is_within_competence": "BOOLEAN",
        "is_reopened": "BOOLEAN",
        "is_answered": "BOOLEAN",
        "is_dissatisfied": "BOOLEAN",
    },
    "dossier": {
        "procedure_code": "VARCHAR",
        "procedure_level": "VARCHAR",
        "agency_responsible": "VARCHAR",
        "channel": "VARCHAR",
        "opened_date": "DATE",
        "due_date": "DATE",
        "closed_date": "DATE",
        "is_online": "BOOLEAN",
        "is_completed": "BOOLEAN",
        "is_completed_on_time": "BOOLEAN",
        "is_completed_late": "BOOLEAN",
        "is_digitised": "BOOLEAN",
    },
    "sensor_observation": {
        "station_id": "VARCHAR",
        "observed_property": "VARCHAR",
        "observed_date": "DATE",
        "expected_hours": "INTEGER",
        "valid_hours": "INTEGER",
    },
}

# The last day of the period, for the expressions of stocks.
PERIOD_END = {"period_end": "DATE"}

# Which anchors an event model has, next to the period's end.
ANCHORS: Mapping[str, frozenset[str]] = {
    "service_request": frozenset({"opened", "due", "closed"}),
    "dossier": frozenset({"opened", "closed"}),
    "sensor_observation": frozenset({"observed"}),
}

# The columns that identify one event of the model.
EVENT_KEYS: Mapping[str, tuple[str, ...]] = {
    "service_request": ("_source", "service_request_id"),
    "dossier": ("_source", "dossier_id"),
    "sensor_observation": ("station_id", "observed_property", "observed_date"),
}
