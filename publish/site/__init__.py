"""The page without Superset: a static site in the serving folder, readable without script."""
