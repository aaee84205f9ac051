"""What a person decided about results: kept beside them, never in place of them."""
