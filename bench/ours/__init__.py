"""Our side of each line, through the pipeline's own steps."""
