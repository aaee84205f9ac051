"""Records planted in made-up text, found by a live embedded model: 8 of them, and 40 at the same density.

    python bench/planted.py [--model qwen2.5-coder-1.5b] [--records 8 40] [--seeds 1]

Five hundred characters for every record. Recall counts names with their own price; what is found and was not planted is
told beside it. A few minutes for 40 records on two cores.
"""

from __future__ import annotations

import argparse
import sys
import time

import scene
from pydantic import BaseModel, Field

from extractor import Engine, extract
from extractor.schema.annotations import key
from extractor.types import Document

sys.path.insert(0, str(scene.ROOT / "tests"))
from planted import planted

PER_RECORD = 500


class Lot(BaseModel):
    """A numbered lot and what it costs."""

    model_config = key("name")

    name: str = Field(description="the whole name of the lot, such as Lot 12 of bay 3")
    price: str | None = Field(None, description="what the lot costs")


class Catalogue(BaseModel):
    owner: str | None = Field(None, description="name of the person at the head of the document")
    lots: list[Lot] = Field([], description="lots, in the order of the document")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="qwen2.5-coder-1.5b")
    parser.add_argument("--records", nargs="+", type=int, default=[8, 40])
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    flags = parser.parse_args()
    print(scene.machine())
    with Engine(model=flags.model) as engine:
        for records in flags.records:
            found = extra = wanted = 0
            started = time.perf_counter()
            for seed in flags.seeds:
                text, planted_here = planted(seed, records, records * PER_RECORD)
                result = extract(Document(f"planted-{records}-{seed}.txt", text), Catalogue, engine=engine)
                true = {(lot["name"], lot["price"]) for lot in planted_here}
                told = [(lot.name, lot.price) for lot in result.record.lots]
                found += len(true & set(told))
                extra += len(told) - len(true & set(told))
                wanted += len(true)
            seconds = time.perf_counter() - started
            print(f"{records:4} records  recall {found / wanted:.3f}  {extra} besides  {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
