"""Reports for leaders, built from the serving file only."""
