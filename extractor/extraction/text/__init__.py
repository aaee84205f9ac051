"""What a text is made of: headings, passages, dates, names, forms."""
