"""Intervals and tests for figures that are ratios of sums over documents, by the standard library alone.

Precision, recall and F1, micro and macro, all have one shape: each document gives a numerator and a denominator, and
the figure is sum over sum. Whole documents are drawn, swapped and left out; their leaves never are, since the leaves of
one document fail together (on 38 documents a leaf-wise error was measured to be four to five times too small).

Randomness comes from `random.Random(f"{seed}:...")` alone, and depends on the number of documents, not on names: the
same runs under other names, or among more runs, give the same figures.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from operator import itemgetter
from statistics import NormalDist

RatioPart = tuple[float, float]
"""What one document adds to numerator and denominator; (0, 0) when it has nothing to say."""

CONFIDENCE_LEVEL = 0.95
MAX_EXACT_DOCUMENTS = 16
"""Documents up to which a permutation test looks at all 2**n swaps."""

INTERVAL_METHOD = "bootstrap of whole documents, percentiles expanded for few documents (Hesterberg 2015)"
_ROUNDING_TOLERANCE = 1e-12


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


def count_draws(documents: int) -> int:
    """Resamples of an interval: 5,000 up to 200 documents, then fewer, so that the work stays the same."""
    return max(200, min(5000, 1_000_000 // max(1, documents)))


def count_flips(documents: int) -> int:
    """Random swaps of a permutation test where there are too many documents for all of them: 10,000 up to 500."""
    return max(1000, min(10_000, 5_000_000 // max(1, documents)))


def divide_sums(parts: Sequence[RatioPart]) -> float | None:
    """Sum over sum; None when there is nothing to divide by."""
    below = math.fsum(part[1] for part in parts)
    return math.fsum(part[0] for part in parts) / below if below else None


def bootstrap_interval(parts: Sequence[RatioPart], seed: int) -> Interval | None:
    """The interval of `ratio(parts)`.

    None with fewer than two documents that count, and when all resamples agree: an interval of no width would
    look like certainty, and is only what few documents can't show.
    """
    telling = [part for part in parts if part != (0, 0)]
    return _interval_from_resamples(len(telling), seed, _resample_ratio(telling))


def bootstrap_paired_interval(a: Sequence[RatioPart], b: Sequence[RatioPart], seed: int) -> Interval | None:
    """The interval of `ratio(a) - ratio(b)`, where a[i] and b[i] are of the same document."""
    telling = [(x, y) for x, y in zip(a, b, strict=True) if (x, y) != ((0, 0), (0, 0))]
    first, second = _resample_ratio([x for x, _ in telling]), _resample_ratio([y for _, y in telling])

    def both(picked: Resample) -> float | None:
        one, other = first(picked), second(picked)
        return None if one is None or other is None else one - other

    return _interval_from_resamples(len(telling), seed, both)


def standard_error(a: Sequence[RatioPart], b: Sequence[RatioPart]) -> float | None:
    """Of `ratio(a) - ratio(b)`, paired by document: the linearised ratio estimator (Cochran 1977, section 6.4).

    For macro figures this is the standard deviation of the documents' differences over the root of their number. None
    with fewer than two documents, or where the runs never differ: then nothing is known about how they vary.
    """
    pairs = [(x, y) for x, y in zip(a, b, strict=True) if (x, y) != ((0, 0), (0, 0))]
    n = len(pairs)
    one, other = divide_sums([x for x, _ in pairs]), divide_sums([y for _, y in pairs])
    if n < 2 or one is None or other is None:
        return None
    below, beneath = math.fsum(x[1] for x, _ in pairs), math.fsum(y[1] for _, y in pairs)
    shares = [(x[0] - one * x[1]) / below - (y[0] - other * y[1]) / beneath for x, y in pairs]
    middle = math.fsum(shares) / n
    found = math.sqrt(n / (n - 1) * math.fsum((share - middle) ** 2 for share in shares))
    return found if found > _ROUNDING_TOLERANCE else None


def sign_test(wins: int, losses: int) -> float:
    """Exact two-sided p of so many wins and losses if either were as likely (Dixon & Mood 1946); ties are left out."""
    n = wins + losses
    tail = sum(math.comb(n, k) for k in range(min(wins, losses) + 1))
    return min(1.0, 2 * tail / (1 << n))


def permutation_test(a: Sequence[RatioPart], b: Sequence[RatioPart], seed: int) -> tuple[float | None, bool]:
    """Two-sided p of the difference of the ratios when the two runs are swapped at random within each document.

    For macro figures this is the sign-flip test of the documents' differences; for micro figures it is approximate
    randomisation (Noreen 1989). Returns (p, whether all swaps were looked at); p is None when a ratio is not defined.
    """
    one, other = divide_sums(a), divide_sums(b)
    if one is None or other is None:
        return None, True
    moves = [(y[0] - x[0], y[1] - x[1]) for x, y in zip(a, b, strict=True) if x != y]
    top, below = math.fsum(x[0] for x in a), math.fsum(x[1] for x in a)
    whole, under = top + math.fsum(y[0] for y in b), below + math.fsum(y[1] for y in b)
    limit = abs(one - other) - _ROUNDING_TOLERANCE
    tables = [_sum_subsets(moves[at : at + 8]) for at in range(0, len(moves), 8)]
    exact = len(moves) <= MAX_EXACT_DOCUMENTS
    hits = total = 0
    for steps in product(*tables) if exact else _draw_swaps(tables, seed, count_flips(len(moves))):
        up = top + math.fsum(step[0] for step in steps)
        down = below + math.fsum(step[1] for step in steps)
        rest = under - down
        # A swap that leaves nothing to divide by cannot be told from an extreme one, so it counts as one.
        hits += (
            down <= _ROUNDING_TOLERANCE or rest <= _ROUNDING_TOLERANCE or abs(up / down - (whole - up) / rest) >= limit
        )
        total += 1
    return (hits / total if exact else (hits + 1) / (total + 1)), exact


def adjust_by_holm(tests: Sequence[float]) -> list[float]:
    """The p-values adjusted for their number (Holm 1979), in the order given."""
    adjusted = [0.0] * len(tests)
    least = 0.0
    for rank, at in enumerate(sorted(range(len(tests)), key=lambda at: tests[at])):
        least = max(least, min(1.0, (len(tests) - rank) * tests[at]))
        adjusted[at] = least
    return adjusted


def student_quantile(level: float, freedom: int) -> float:
    """The t that |T| stays below with probability `level`, for whole degrees of freedom >= 1."""
    low, high = 0.0, 1.0
    while _student_probability(high, freedom) < level:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _student_probability(middle, freedom) < level else (low, middle)
    return high


def _student_probability(t: float, freedom: int) -> float:
    """P(|T| <= t): Abramowitz & Stegun 26.7.3 and 26.7.4."""
    angle = math.atan(t / math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2
    if freedom == 1:
        return 2 * angle / math.pi
    term = total = cosine if odd else 1.0
    for k in range(3 if odd else 2, freedom - 1, 2):
        term *= cosine * cosine * (k - 1) / k
        total += term
    return 2 / math.pi * (angle + sine * total) if odd else sine * total


Resample = Callable[[Sequence[float]], Sequence[float]]
"""One resample: from a number per document to the numbers of the documents drawn."""


def _resample_ratio(parts: Sequence[RatioPart]) -> Callable[[Resample], float | None]:
    tops, bottoms = [part[0] for part in parts], [part[1] for part in parts]

    def resampled(picked: Resample) -> float | None:
        below = sum(picked(bottoms))
        return sum(picked(tops)) / below if below else None

    return resampled


@lru_cache(maxsize=4)
def _draw_resamples(n: int, seed: int) -> tuple[Resample, ...]:
    dice = random.Random(f"{seed}:interval:{n}")  # noqa: S311 (a simulation, not a secret)
    return tuple(itemgetter(*dice.choices(range(n), k=n)) for _ in range(count_draws(n)))


def _interval_from_resamples(n: int, seed: int, value: Callable[[Resample], float | None]) -> Interval | None:
    if n < 2:
        return None
    found = sorted(drawn for picked in _draw_resamples(n, seed) if (drawn := value(picked)) is not None)
    if not found or found[-1] - found[0] < _ROUNDING_TOLERANCE:
        return None
    # The plain percentiles are too narrow by the root of (n - 1)/n and by normal in place of t quantiles.
    tail = NormalDist().cdf(-math.sqrt(n / (n - 1)) * student_quantile(CONFIDENCE_LEVEL, n - 1))
    return Interval(_interpolate_quantile(found, tail), _interpolate_quantile(found, 1 - tail))


def _interpolate_quantile(ordered: Sequence[float], share: float) -> float:
    at = share * (len(ordered) - 1)
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (at - low) * (ordered[high] - ordered[low])


def _sum_subsets(moves: Sequence[RatioPart]) -> list[RatioPart]:
    """The sums of all subsets of at most eight moves; the bits of an index say which."""
    sums: list[RatioPart] = [(0.0, 0.0)]
    for up, down in moves:
        sums += [(top + up, bottom + down) for top, bottom in sums]
    return sums


def _draw_swaps(tables: Sequence[Sequence[RatioPart]], seed: int, count: int) -> Iterator[list[RatioPart]]:
    dice = random.Random(f"{seed}:swaps:{len(tables)}:{len(tables[-1])}")  # noqa: S311 (a simulation, not a secret)
    masks = [len(table) - 1 for table in tables]
    for _ in range(count):
        bits = dice.randbytes(len(tables))
        yield [table[byte & mask] for table, mask, byte in zip(tables, masks, bits, strict=True)]
