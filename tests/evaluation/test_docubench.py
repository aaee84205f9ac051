"""Real outputs of six systems for 38 documents, scored here and by another implementation of published rules.

The rules (of the benchmark's scoring page): numbers rounded to six decimals; texts without case, white space and
punctuation; leaves outside of lists right or wrong, both blank skipped; items of a list paired greedily by the share of
equal leaves in the union of both, items without a partner in the denominator; lists weighted by the average number of
leaves of a labelled item; a document's score the weighted mean of its parts, a system's the mean over documents.

The data are public, and not part of this project: without them these tests are skipped.
"""

import json
import re
from pathlib import Path
from statistics import mean

import pytest

from extractor.evaluation.gold import Gold
from extractor.evaluation.scoring.grader import grade_document_cells
from extractor.evaluation.scoring.outcomes import tally_cells
from extractor.evaluation.scoring.schema import read_scoring_schema

DATA = Path(__file__).parents[3] / "shared" / "bench" / "docubench"
EXACT = {  # macro figures that an earlier scorer, exact and of other hands, gave for the same files
    "gpt": 0.9505,
    "claude": 0.9245,
    "gemini": 0.9602,
    "extend": 0.9327,
    "docupipe_high": 0.9688,
    "docupipe_standard": 0.9628,
}

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the public benchmark docubench does not lie in {DATA}")


def load(kind, name):
    return json.loads((DATA / kind / f"{name}.json").read_text(encoding="utf-8"))


def names():
    return sorted(path.stem for path in (DATA / "labels").iterdir())


def plain(value):
    if isinstance(value, bool) or value is None:
        return value
    return round(float(value), 6) if isinstance(value, int | float) else re.sub(r"[\W_]+", "", value.lower())


def flat(value, path=()):
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from flat(inner, (*path, name))
    elif plain(value) not in (None, ""):
        yield path, plain(value)


def likeness(a, b):
    one, other = dict(flat(a)), dict(flat(b))
    return len(one.items() & other.items()) / max(1, len(one.keys() | other.keys()))


def parts(schema, label, found):
    """(score, weight) of the leaves outside of lists, and of every list."""
    right = total = 0
    for name, one in schema.get("properties", {}).items():
        gold, predicted = (label or {}).get(name), (found or {}).get(name)
        if "properties" in one:
            yield from parts(one, gold, predicted)
        elif one.get("type") == "array":
            yield from listed(gold or [], predicted or [])
        elif plain(gold) not in (None, "") or plain(predicted) not in (None, ""):
            right, total = right + (plain(gold) == plain(predicted)), total + 1
    if total:
        yield right / total, total


def listed(gold, predicted):
    if not gold and not predicted:
        return
    left, right, score = list(range(len(gold))), list(range(len(predicted))), 0.0
    every = [(likeness(a, b), i, j) for i, a in enumerate(gold) for j, b in enumerate(predicted)]
    for share, i, j in sorted(every, key=lambda one: -one[0]):
        if i in left and j in right:
            left.remove(i)
            right.remove(j)
            score += share
    size = mean(len(dict(flat(item))) for item in gold or predicted)
    yield score / max(len(gold), len(predicted)), size * (len(gold) or len(predicted))


def published(schema, label, found):
    weighed = list(parts(schema, label, found))
    weight = sum(weight for _, weight in weighed)
    return sum(score * weight for score, weight in weighed) / weight if weight else 1.0


def ours(schema, label, found):
    """Right leaves of all leaves that either side has: the same notion of a score, from our cells."""
    tally = tally_cells(grade_document_cells(Gold("d", label), {"record": found}, read_scoring_schema(schema), "run"))
    leaves = tally.correct + tally.wrong + tally.omitted + tally.invented
    return tally.correct / leaves if leaves else 1.0


@pytest.fixture(scope="module")
def macros():
    """System -> (our macro figure, the other implementation's)."""
    found = {}
    for system in EXACT:
        pairs = []
        for name in names():
            schema, label = load("schemas", name), load("labels", name)
            data = load(f"results/{system}", name)["data"]
            pairs.append((ours(schema, label, data), published(schema, label, data)))
        found[system] = (mean(one for one, _ in pairs), mean(other for _, other in pairs))
    return found


@pytest.mark.parametrize("system", EXACT)
def test_macro_figures_agree_with_another_implementation(macros, system):
    one, other = macros[system]
    assert one == pytest.approx(other, abs=0.01)


@pytest.mark.parametrize("system", EXACT)
def test_macro_figures_agree_with_an_earlier_exact_scorer(macros, system):
    assert macros[system][0] == pytest.approx(EXACT[system], abs=0.01)


def test_the_two_implementations_rank_the_systems_alike(macros):
    assert sorted(macros, key=lambda s: macros[s][0]) == sorted(macros, key=lambda s: macros[s][1])


def test_labels_score_one_against_themselves():
    for name in names():
        assert ours(load("schemas", name), load("labels", name), load("labels", name)) == 1.0
