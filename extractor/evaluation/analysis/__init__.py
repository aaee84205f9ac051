"""What scores mean: metrics, intervals, comparisons, gates."""
