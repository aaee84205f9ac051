"""The result file, and every form in which it is read."""
