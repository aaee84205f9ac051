"""A record against its gold, leaf by leaf."""
