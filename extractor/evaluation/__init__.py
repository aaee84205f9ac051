"""Scores runs against gold, field by field, and compares models and prompts."""
