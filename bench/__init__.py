"""Speed as a ratio to the bare limit, measured in one run."""
