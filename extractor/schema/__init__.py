"""Schemas: what may be declared, what is asked of it, and in which dialect."""
