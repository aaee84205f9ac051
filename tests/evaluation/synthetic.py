"""Runs as a grader hands them on, drawn from a seed: documents with words, leaves that stand in them, and errors."""

from __future__ import annotations

import random
from dataclasses import dataclass

from extractor.evaluation.scoring.outcomes import LeafOutcome, ScoreCell, ScoredDocument, ScoredRun, ValueSupport

_ROWS = ("name", "amount", "due")
_SYLLABLES = ["ka", "ro", "mi", "ten", "sol", "ve", "dun", "ari", "pel", "osh", "lin", "gar", "to", "wex"]


@dataclass(frozen=True)
class Leaf:
    field: str
    path: str
    value: object
    start: int
    end: int


def words(dice: random.Random, n: int) -> str:
    return " ".join("".join(dice.choices(_SYLLABLES, k=dice.randint(1, 3))) for _ in range(n))


def document(dice: random.Random, rows: int) -> tuple[str, list[Leaf]]:
    text, leaves = "", []

    def put(field: str, path: str, value: object) -> None:
        nonlocal text
        text += words(dice, dice.randint(1, 12)) + " "
        leaves.append(Leaf(field, path, value, len(text), len(text) + len(str(value))))
        text += f"{value}{dice.choice(['.', ',', ''])}{dice.choice([' ', ' ', chr(10)])}"

    put("title", "/title", words(dice, 4).title())
    put("issued", "/issued", f"20{dice.randint(10, 26)}-{dice.randint(1, 12):02}")
    put("sender.city", "/sender/city", words(dice, 1).title())
    for at in range(dice.randint(2, 6)):
        put("tags[]", f"/tags/{at}", words(dice, 1))
    for at in range(rows):
        put("items[].name", f"/items/{at}/name", words(dice, 3).capitalize())
        put("items[].amount", f"/items/{at}/amount", dice.randint(1, 9999) / 4)
        put("items[].due", f"/items/{at}/due", f"2025-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}")
        if dice.random() < 0.3:
            put("items[].notes[].text", f"/items/{at}/notes/0/text", words(dice, 6).capitalize())
    return text, leaves


def runs(
    entrants,
    *,
    documents: int = 5,
    rows: int = 18,
    seed: int = 1,
    failing: float = 0.0,
    repeats: int = 1,
    confident: bool = True,
    texts: bool = True,
    names=None,
) -> tuple[list[ScoredRun], dict[str, str]]:
    """`entrants` are (model, prompt, share of leaves that come out right); returns the runs and the texts by name."""
    made = {}
    for at in range(documents):
        name = names[at] if names else f"{at:03}_letter.txt"
        made[name] = document(random.Random(f"{seed}:document:{at}"), rows)
    found = []
    for model, prompt, skill in entrants:
        for repeat in range(1, repeats + 1):
            label = f"{model} · {prompt}" + (f" #{repeat}" if repeat > 1 else "")
            dice = random.Random(f"{seed}:{label}")
            cells: list[ScoreCell] = []
            graded: list[ScoredDocument] = []
            for name, (text, leaves) in made.items():
                if dice.random() < failing:
                    graded.append(
                        ScoredDocument(label, name, "failed", None, None, None, None, "The server did not answer.")
                    )
                    cells += [
                        ScoreCell(
                            label, name, leaf.field, LeafOutcome.OMITTED, leaf.value, None, leaf.path, failed=True
                        )
                        for leaf in leaves
                    ]
                    continue
                luck = min(1.0, max(0.0, skill + dice.gauss(0, 0.07)))
                cost = len(text) / 400 * (1 + 2 * skill)
                status = dice.choice(["complete", "complete", "suspect"])
                graded.append(
                    ScoredDocument(
                        label, name, status, round(cost * dice.uniform(0.8, 1.2), 2), len(text) // 3, len(leaves) * 9, 8
                    )
                )
                for leaf in leaves:
                    cells.append(_cell(dice, label, name, leaf, luck, confident, texts))
                for at in range(int(len(leaves) * (1 - luck) * dice.uniform(0, 0.6))):
                    cells.append(
                        ScoreCell(
                            label,
                            name,
                            dice.choice(["tags[]", "items[].name", "items[].notes[].text"]),
                            LeafOutcome.INVENTED,
                            None,
                            words(dice, 2),
                            None,
                            f"/tags/{90 + at}",
                            "text",
                            ValueSupport.UNSUPPORTED if texts else ValueSupport.UNKNOWN,
                            "none",
                            (),
                            round(dice.uniform(0.2, 0.8), 2) if confident else None,
                        )
                    )
            prints = (("model", f"sha256:{len(model):064x}"), ("prompt", f"sha256:{len(prompt):064x}"))
            found.append(
                ScoredRun(
                    label,
                    "letters",
                    model,
                    prompt,
                    prints,
                    tuple(graded),
                    tuple(cells),
                    repeat,
                    (0.5, 1.5) if "large" in model else None,
                )
            )
    return found, {name: text for name, (text, _) in made.items()} if texts else {}


def _cell(dice, label, name, leaf, luck, confident, texts) -> ScoreCell:
    sure = round(min(1.0, max(0.0, dice.gauss(0.55 + 0.4 * luck, 0.15))), 3) if confident else None
    roll = dice.random()
    if roll < luck:
        outcome, said, support = LeafOutcome.CORRECT, leaf.value, ValueSupport.SUPPORTED
    elif roll < luck + (1 - luck) * 0.5:
        outcome, said = LeafOutcome.WRONG, _wrong(dice, leaf.value)
        support = dice.choice([ValueSupport.SUPPORTED, ValueSupport.ELSEWHERE, ValueSupport.UNSUPPORTED])
    else:
        return ScoreCell(label, name, leaf.field, LeafOutcome.OMITTED, leaf.value, None, leaf.path, None, "text")
    spans = ((leaf.start, leaf.end),) if support is ValueSupport.SUPPORTED else ()
    return ScoreCell(
        label,
        name,
        leaf.field,
        outcome,
        leaf.value,
        said,
        leaf.path,
        leaf.path,
        "text",
        support if texts else ValueSupport.UNKNOWN,
        "exact" if spans else "none",
        spans if texts else (),
        sure,
    )


def _wrong(dice: random.Random, value: object) -> object:
    if isinstance(value, float):
        return value + dice.choice([-1, 1, 10])
    said = str(value).split()
    if len(said) > 1:
        said[dice.randrange(len(said))] = words(dice, 1)
        return " ".join(said)
    return str(value)[:-1] + dice.choice("aeiou0123")
