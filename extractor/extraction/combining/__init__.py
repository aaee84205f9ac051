"""What several models say of one document, made into one record: aligned, judged together, every reading kept."""
