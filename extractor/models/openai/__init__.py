"""Endpoints that speak as OpenAI's does."""
