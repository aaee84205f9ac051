"""Batch interfaces: many questions in one file, answered within a day at half the price."""
