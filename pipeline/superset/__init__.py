"""Superset on this machine, or as a container runs it, and what `citylake reports` tells it."""
