"""What answers a request: an endpoint, the embedded engine, a tape, the cache."""
