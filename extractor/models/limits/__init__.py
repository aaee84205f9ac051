"""How many requests at a time, and how much in all."""
