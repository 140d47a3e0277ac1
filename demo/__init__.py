"""The demo city's source systems: real servers with planted faults."""
