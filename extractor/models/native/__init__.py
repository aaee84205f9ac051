"""Makers whose own interface is spoken, by their own libraries: Anthropic and Google."""
