"""Ways to reach a source; each yields raw objects."""
