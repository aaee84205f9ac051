"""What a run takes, before it takes it."""
