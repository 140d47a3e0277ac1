"""The feedback system: Open311 GeoReport v2 over HTTP."""
