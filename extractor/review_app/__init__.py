"""A local page on which a person goes through records beside their documents, and decides."""
