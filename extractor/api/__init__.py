"""From Python: documents and a class in, typed records with their evidence out."""
