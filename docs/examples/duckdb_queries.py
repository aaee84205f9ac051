"""SQL over the Parquet tables of a run, in place: what was bought, and the words that prove it.

extractor run invoices/ --task invoice -o out
extractor export out -f parquet -o tables
python duckdb_queries.py tables
"""

import sys
from pathlib import Path
from typing import Any

import duckdb

LARGEST_LINES = """
    SELECT d.name, l.description, l.amount, e.quote, e.confidence
    FROM lines l
    JOIN documents d ON d._document = l._document
    LEFT JOIN evidence e ON e._document = l._document AND e.path = l._path || '/amount'
    ORDER BY l.amount DESC LIMIT 5
"""
SPENT_BY_SELLER = "SELECT seller_name, currency, sum(total) AS total FROM records GROUP BY ALL ORDER BY total DESC"


def open_tables(folder: Path) -> duckdb.DuckDBPyConnection:
    """A connection that has each Parquet file of the folder as a view of its name; nothing is copied."""
    connection = duckdb.connect()
    for file in sorted(folder.glob("*.parquet")):
        connection.read_parquet(str(file)).create_view(file.stem)
    return connection


def find_largest_lines(connection: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    return connection.execute(LARGEST_LINES).fetchall()


if __name__ == "__main__":
    tables = open_tables(Path(sys.argv[1]))
    tables.sql(LARGEST_LINES).show()
    tables.sql(SPENT_BY_SELLER).show()
