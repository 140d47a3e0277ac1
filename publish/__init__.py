"""Releases and serving files: what leaves the gate."""
