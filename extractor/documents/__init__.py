"""A path to documents: one text, and the way back to the file that it was read from."""
