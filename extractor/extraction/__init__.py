"""One document to one record."""
