"""How CPU time grows with length, for each part of the path, on honest and hostile texts.

    python bench/time_against_length.py [--part WORDS] [--text WORDS] [--sizes 10000 100000 1000000] [--seconds 120]

Of each part and text the exponent: the slope of the logarithm of CPU time against that of the length, between the
smallest size that takes a few milliseconds and the largest. 1 is linear, 2 the square. A part's line names the text on
which it grows fastest, and the one on which it is slowest; whatever passes the bar has a line of its own.
"""

from __future__ import annotations

import argparse
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


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--part", default="", help="only parts with these words in their name")
    parser.add_argument("--text", default="", help="only texts with these words in their name")
    parser.add_argument("--first", type=int, default=0, help="the first part, of all")
    parser.add_argument("--step", type=int, default=1, help="every so manieth part from there, for several at a time")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--seconds", type=float, default=120.0, help="CPU for one measurement")
    flags = parser.parse_args()
    print(scene.machine(), flush=True)
    gc.set_threshold(*COLLECTS_AFTER)  # as where large documents are worked on
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
