"""A server for `soak`, in a process of its own: it answers after a while, and fails by chance in every way at once.

It prints its address, and at the end of its input a line of JSON with what it did.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from typing import Any

from extractor.testing import FaultAnswer, FaultEndpoint, build_completion
from extractor.testing.fault_endpoint import build_error

FOR_GOOD = 3600.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=1.0)
    for name, share in (("errors", 0.05), ("refusals", 0.05), ("cuts", 0.02), ("hangs", 0.01)):
        parser.add_argument(f"--{name}", type=float, default=share)
    flags = parser.parse_args()
    rng, done = random.Random(1), Counter[str]()
    whole = build_completion('{"title":"bolt"}')

    first: list[float] = []

    def answer(body: dict[str, Any], number: int) -> FaultAnswer:
        first.append(time.time()) if not first else None
        fate = rng.random()
        for name in ("hangs", "errors", "refusals", "cuts"):
            if (fate := fate - getattr(flags, name)) < 0:
                done[name] += 1
                return {
                    "hangs": FaultAnswer(sleep=FOR_GOOD),
                    "errors": FaultAnswer(500, build_error("broken"), sleep=flags.latency / 2),
                    "refusals": FaultAnswer(429, build_error("too many requests"), {"retry-after": "1"}),
                    "cuts": FaultAnswer(200, whole, cut=40, sleep=flags.latency),
                }[name]
        done["answers"] += 1
        return FaultAnswer(200, whole, sleep=flags.latency)

    with FaultEndpoint(answer, keep=False) as endpoint:
        print(endpoint.url, flush=True)
        sys.stdin.read()
        print(json.dumps({**done, "most": endpoint.most, "first": first[0]}), flush=True)


if __name__ == "__main__":
    main()
