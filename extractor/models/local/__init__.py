"""The embedded engine: model files, their download, and the process that serves them."""
