"""How the raw objects of a stream follow one another."""
