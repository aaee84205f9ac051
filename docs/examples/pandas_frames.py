"""What a run found as one pandas DataFrame, and the invoices whose lines do not add up.

extractor run invoices/ --task invoice -o out
python pandas_frames.py out
"""

import sys
from pathlib import Path

import pandas as pd

from extractor import Result
from extractor.results.result import results_to_frame


def read_values(out: Path) -> pd.DataFrame:
    """A row for each value of all records, with its words, their place and how sure it is."""
    files = sorted(path for path in out.glob("*.json") if path.name != "run.json")
    values: pd.DataFrame = results_to_frame([Result.read(path, dict) for path in files])
    return values


def find_doubtful(values: pd.DataFrame, below: float = 0.8) -> pd.DataFrame:
    """The least sure values first."""
    return values[values["confidence"] < below].sort_values("confidence")


def compare_sums(values: pd.DataFrame) -> pd.DataFrame:
    """Each document's subtotal beside the sum of its lines."""
    amounts = values[values["path"].str.fullmatch(r"/lines/\d+/amount")]
    lines = pd.to_numeric(amounts["value"]).groupby(amounts["document"]).sum()
    subtotal = values[values["path"] == "/subtotal"].set_index("document")["value"]
    compared = pd.DataFrame({"lines": lines, "subtotal": pd.to_numeric(subtotal)})
    return compared.assign(differs=(compared["lines"] - compared["subtotal"]).abs() > 0.005)


if __name__ == "__main__":
    found = read_values(Path(sys.argv[1]))
    print(find_doubtful(found)[["document", "path", "value", "quote", "confidence"]].to_string(index=False))
    print(compare_sums(found).to_string())
