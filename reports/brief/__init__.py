"""The brief: two pages about one area, for one role, in one language."""
