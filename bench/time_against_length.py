"""How CPU time grows with length, for each part of the path, on honest and hostile texts.

    python bench/time_against_length.py [--part WORDS] [--text WORDS] [--sizes 10000 100000 1000000] [--seconds 120]
    python bench/time_against_length.py --table [--within 600]

Of each part and text the exponent: the slope of the logarithm of CPU time against that of the length, between the
smallest size that takes a few milliseconds and the largest. 1 is linear, 2 the square. A part's line names the text on
which it grows fastest, and the one on which it is slowest; whatever passes the bar has a line of its own.

A table has a line for each part and a few texts, at the sizes that can be afforded within so many seconds of CPU in
all. Beside times it has the exponent of the calls of functions, which are counted and so the same on a machine that is
full: where times grow and calls do not, it is the machine's memory, or one call that looks through all of a text.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import math
import signal
import sys
import time
from collections.abc import Sequence
from types import FrameType

import scene
from hostile_texts import TEXTS
from parts_of_the_path import PARTS, Part, forget

from extractor.runs.worker_process import COLLECTS_AFTER

BAR = 1.15
NOTICED = 0.004
"""Seconds below which a time tells nothing of how it grows."""


class TooLong(Exception):
    pass


def measure(part: Part, text: str, most: float) -> float:
    """Seconds of CPU; infinity for more than `most`."""
    prepared = part(text)
    forget()
    gc.collect()
    begun = time.process_time()

    def look(number: int, frame: FrameType | None) -> None:
        if time.process_time() - begun > most:
            raise TooLong

    before = signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, 1, 1)
    try:
        prepared()
        return time.process_time() - begun
    except TooLong:
        return math.inf
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def fit_exponent(sizes: Sequence[int], times: Sequence[float]) -> float:
    """The slope between the first time that tells anything and the last; 0 where none does."""
    told = [(size, seconds) for size, seconds in zip(sizes, times, strict=True) if seconds >= NOTICED]
    if len(told) < 2:
        return 0.0
    (small, little), (large, much) = told[0], told[-1]
    return math.log(much / little) / math.log(large / small)


def grow(part: Part, texts: Sequence[str], most: float) -> list[float]:
    """CPU seconds at each size; nothing after one that takes too long. What grows faster than the bar is measured again
    twice, and the least counts: others on the machine make times longer, never shorter."""
    times: list[float] = []
    for text in texts:
        times.append(measure(part, text, most))
        if times[-1] == math.inf:
            return times
    sizes = [len(text) for text in texts]
    for _ in range(2):
        if fit_exponent(sizes, times) <= BAR:
            break
        times = [min(time, measure(part, text, most)) for time, text in zip(times, texts, strict=True)]
    return times


def count_calls(part: Part, text: str) -> int:
    """Calls of functions, Python's and those of compiled code."""
    prepared = part(text)
    forget()
    profile = cProfile.Profile()
    profile.runcall(prepared)
    return sum(entry.callcount for entry in profile.getstats())


TABLE_TEXTS, TABLE_SIZES = ("prose", "chinese", "mixed"), (20_000, 200_000, 1_000_000)
COUNTED = 2.0
"""Seconds up to which the calls of a measurement are counted, too, which takes some three times as long."""


def print_table(parts: dict[str, Part], within: float) -> int:
    """How many exponents of CPU time pass the bar."""
    texts = {of: [TEXTS[of](size) for size in TABLE_SIZES] for of in TABLE_TEXTS}
    print("| part | text |", *(f"{size:,} |" for size in TABLE_SIZES), "CPU | calls |")
    print("|---|---|" + "--:|" * (len(TABLE_SIZES) + 2))
    passed = 0
    for number, (name, part) in enumerate(parts.items()):
        share = (within - time.process_time()) / (len(parts) - number)
        for of, sized in texts.items():
            times, calls = _measure_affordable(part, sized, share / len(texts))
            sizes = TABLE_SIZES[: len(times)]
            exponent = fit_exponent(sizes, times)
            passed += exponent > BAR
            shown = [f"{seconds:.2f} s" for seconds in times] + ["-"] * (len(TABLE_SIZES) - len(times))
            steps = math.log(calls[-1] / calls[-2]) / math.log(sizes[len(calls) - 1] / sizes[len(calls) - 2])
            print("|", " | ".join([name, of, *shown, f"{exponent:.2f}", f"{steps:.2f}"]), "|", flush=True)
    print(f"{passed} above the bar of {BAR}")
    return passed


def _measure_affordable(part: Part, sized: Sequence[str], seconds: float) -> tuple[list[float], list[int]]:
    """Times and calls at the first two sizes, and at those after them that the seconds are enough for."""
    begun, times, calls = time.process_time(), list[float](), list[int]()
    for at, text in enumerate(sized):
        wanted = times[-1] * (len(text) / len(sized[at - 1])) ** BAR if times else 0.0
        if at > 1 and 4 * wanted > seconds - (time.process_time() - begun):
            break
        times.append(measure(part, text, math.inf))
        if at < 2 or times[-1] < COUNTED:
            calls.append(count_calls(part, text))
    return times, calls


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--part", default="", help="only parts with these words in their name")
    parser.add_argument("--text", default="", help="only texts with these words in their name")
    parser.add_argument("--first", type=int, default=0, help="the first part, of all")
    parser.add_argument("--step", type=int, default=1, help="every so manieth part from there, for several at a time")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--seconds", type=float, default=120.0, help="CPU for one measurement")
    parser.add_argument("--table", action="store_true", help="a table of all parts on a few texts")
    parser.add_argument("--within", type=float, default=600.0, help="CPU seconds for the table (default: 600)")
    flags = parser.parse_args()
    print(scene.machine(), flush=True)
    gc.set_threshold(*COLLECTS_AFTER)  # as where large documents are worked on
    if flags.table:
        return min(1, print_table({of: part for of, part in PARTS.items() if flags.part in of}, flags.within))
    texts = {of: [build(size) for size in flags.sizes] for of, build in TEXTS.items() if flags.text in of}
    passed = 0
    for name, part in list(PARTS.items())[flags.first :: flags.step]:
        if flags.part not in name:
            continue
        fastest, slowest = (0.0, "-"), (0.0, "-")
        for of, sized in texts.items():
            times = grow(part, sized, flags.seconds)
            exponent = fit_exponent(flags.sizes[: len(times)], times)
            fastest, slowest = max(fastest, (exponent, of)), max(slowest, (times[-1], of))
            if exponent > BAR:
                passed += 1
                shown = ", ".join(f"{seconds * 1000:,.0f} ms" for seconds in times)
                print(f"  above {BAR}: {name}, {of}: {exponent:.2f} ({shown})", flush=True)
        print(
            f"{name:32} exponent {fastest[0]:5.2f} ({fastest[1]}), slowest {slowest[0]:6.1f} s ({slowest[1]})",
            flush=True,
        )
    print(f"{passed} above the bar of {BAR}")
    return min(passed, 1)


if __name__ == "__main__":
    sys.exit(main())
