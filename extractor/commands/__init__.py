"""One module a command: its flags and what it does. What takes long to import is imported when the command runs."""
