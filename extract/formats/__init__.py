"""Ways to read a raw object; each yields records."""
