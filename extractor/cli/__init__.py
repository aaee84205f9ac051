"""Flags to calls, errors to exit codes."""
