"""A word changed in a long document: how many of its questions are other ones, and so are asked again.

    python bench/changed_document.py

Prints a line for each kind of text, over 4 seeds and 13 changes each: chunks, questions asked again (mean, worst), and
the share of changes after which it is two at most.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Iterator
from dataclasses import replace

from extractor.extraction.planning import plan_document
from extractor.extraction.prompt import Prompt, Strategy
from extractor.models.traits import STRONG
from extractor.schema.reader import read_schema
from extractor.types import Document

SEEDS, CHUNK_TOKENS = 4, 1500
SCHEMA = read_schema({"type": "object", "properties": {"number": {"type": ["string", "null"]}}})
PROMPT = Prompt("p", "s", "{document}\n{question}", {}, Strategy())
WORDS = (
    "contract",
    "amount",
    "payment",
    "party",
    "deliver",
    "within",
    "days",
    "invoice",
    "order",
    "number",
    "total",
    "shall",
)

rng = random.Random()


def word() -> str:
    return rng.choice(WORDS) + rng.choice(["", "", "ed", "ing", "s", "ation"])


def sentence() -> str:
    return " ".join(word() for _ in range(rng.randint(5, 18))).capitalize() + "."


def paragraph() -> str:
    return " ".join(sentence() for _ in range(rng.randint(2, 8)))


KINDS: dict[str, Callable[[], str]] = {
    "paragraphs": lambda: "\n\n".join(paragraph() for _ in range(450)),
    "headings": lambda: "\n\n".join((f"## {word()}\n\n" if i % 7 == 0 else "") + paragraph() for i in range(450)),
    "lines": lambda: "\n".join(sentence() for _ in range(2250)),
    "sentences": lambda: " ".join(sentence() for _ in range(2250)),
    "bare words": lambda: " ".join(word() for _ in range(25_000)),
}


def list_questions(text: str) -> list[str]:
    traits = replace(STRONG, window=CHUNK_TOKENS + 1000, max_output=500)
    return [one.request.key for one in plan_document(Document("d", text), SCHEMA, PROMPT, "m", traits).questions]


def change(text: str) -> Iterator[str]:
    words = text.split(" ")
    for share in (0.001, 0.03, 0.3, 0.6):
        at = int(len(words) * share)
        for new in ("extraordinarily" + words[at], "x", f"seven more words are put in {words[at]}"):
            yield " ".join([*words[:at], new, *words[at + 1 :]])
    yield f"{text[:2000]}z{text[2001:]}"


def main() -> None:
    for kind, write in KINDS.items():
        asked: list[int] = []
        for seed in range(SEEDS):
            rng.seed(seed)
            text = write()
            before = set(list_questions(text))
            asked += [len(set(list_questions(other)) - before) for other in change(text)]
        share = sum(many <= 2 for many in asked) / len(asked)
        mean = statistics.mean(asked)
        print(f"{kind:11} {len(before):3} chunks  mean {mean:4.1f}  worst {max(asked)}  <= 2: {share:.2f}")


if __name__ == "__main__":
    main()
