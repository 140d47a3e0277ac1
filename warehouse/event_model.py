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
    "encounter": {
        "class_code": "VARCHAR",
        "started_date": "DATE",
        "is_visit": "BOOLEAN",
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
    "emergency_trip": {
        "call_category": "VARCHAR",
        "priority_final": "VARCHAR",
        "received_date": "DATE",
        "units": "BIGINT",
        "is_reached": "BOOLEAN",
        "response_seconds": "BIGINT",
        "followed_seconds": "BIGINT",
        "has_target": "BOOLEAN",
        "is_within_target": "BOOLEAN",
    },
    "labour_force_survey": {
        "ref_area": "VARCHAR",
        "freq": "VARCHAR",
        "time_period": "VARCHAR",
        "period_date": "DATE",
        "unemployed": "DECIMAL(18,6)",
        "labour_force": "DECIMAL(18,6)",
        "unemployed_variance": "DECIMAL(24,6)",
        "sample_size": "BIGINT",
    },
}

# The last day of the period, for the expressions of stocks.
PERIOD_END = {"period_end": "DATE"}

# Which anchors an event model has, next to the period's end.
ANCHORS: Mapping[str, frozenset[str]] = {
    "service_request": frozenset({"opened", "due", "closed"}),
    "encounter": frozenset({"started"}),
    "dossier": frozenset({"opened", "closed"}),
    "sensor_observation": frozenset({"observed"}),
    "emergency_trip": frozenset({"received"}),
    "labour_force_survey": frozenset({"period"}),
}

# The columns that identify one event of the model.
EVENT_KEYS: Mapping[str, tuple[str, ...]] = {
    "service_request": ("_source", "service_request_id"),
    "encounter": ("_source", "encounter_id"),
    "dossier": ("_source", "dossier_id"),
    "sensor_observation": ("station_id", "observed_property", "observed_date"),
    "emergency_trip": ("_source", "call_id"),
    "labour_force_survey": ("_source", "ref_area", "time_period"),
}

# The column of every event model that lists the core records that the event is made of, each as
# `explain` takes it: `<source>:<values of its key, joined by />`.
EVENT_RECORDS = "records"
# The events that tell of people's health: their indicators have a mart of their own.
HEALTH_EVENTS = frozenset({"encounter"})
INDICATOR_MARTS = frozenset(
    {"mart_city_indicator", "mart_district_indicator", "mart_sector_indicator"}
)
HEALTH_MARTS = frozenset({"mart_health_indicator"})


def indicator_marts(event: str) -> frozenset[str]:
    """Names of the marts that hold the indicators of an event model."""
    return HEALTH_MARTS if event in HEALTH_EVENTS else INDICATOR_MARTS
