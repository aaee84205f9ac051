"""A record beside its document, for people."""
