"""What answers a request: an endpoint, a local engine, a cassette, a cache."""
