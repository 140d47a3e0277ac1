"""The bare limit of each line: the shortest script on the best tools."""
