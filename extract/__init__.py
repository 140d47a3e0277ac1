"""Transports, formats and protocols that bring raw objects in."""
