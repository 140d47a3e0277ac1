"""Superset: its settings, what is shown in it as code, and who sees what of it."""
