"""Order of the steps, run context, settings and the command line."""
