"""The report, and every form in which it is written."""
