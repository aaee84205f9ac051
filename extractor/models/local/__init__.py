"""An engine of our own: weights, their download, and the process that serves them."""
