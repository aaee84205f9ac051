"""A run's questions in batches: what is left to ask, where it was submitted, and the replies on their way back."""
