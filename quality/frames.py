"""The two frames of a mart on which expectations are validated."""

ROWS, STRUCTURE = "rows", "structure"
