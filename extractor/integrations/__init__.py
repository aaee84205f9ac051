"""For pipelines of others: what they map over their rows."""
