"""Results in the forms that other tools read: JSON Lines, CSV, Parquet, SQLite. One module a form."""
