"""The words of a document behind a value, and what they prove."""
