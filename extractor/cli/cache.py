"""`extractor cache`: the replies that were paid for, shown, verified or cleared."""

from __future__ import annotations

import argparse
import json
from typing import Any

from extractor.cli import console
from extractor.cli import endpoint_flags as terms


def add(commands: Any) -> None:
    parser = commands.add_parser("cache", help="show, verify or clear the replies that were paid for")
    parser.add_argument(
        "action", nargs="?", choices=["show", "verify", "clear"], default="show", help="(default: show)"
    )
    terms.folder(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=command)


def command(flags: argparse.Namespace) -> int:
    """1 when replies are damaged, else 0; a folder that is not there is not made."""
    from extractor.models import cache

    folder = flags.cache or cache.home()
    if not folder.is_dir():
        held, cleared = cache.Contents(folder, 0, 0), 0
    else:
        opened = cache.Cache(folder, lambda text: print(f"note: {console.visible(text)}"))
        try:
            held = opened.contents(verify=flags.action == "verify")
            cleared = opened.clear() if flags.action == "clear" else 0
        finally:
            opened.close()
    if flags.json:
        told = {"folder": str(held.folder), "replies": held.replies, "bytes": held.bytes, "damaged": held.damaged}
        print(json.dumps(told | ({"cleared": cleared} if flags.action == "clear" else {}), indent=1))
    elif flags.action == "clear":
        print(f"{cleared:,} replies removed from {console.visible(str(folder))}")
    else:
        print(f"{held.replies:,} replies, {held.bytes / 1e6:,.1f} MB in {console.visible(str(folder))}")
        if held.damaged:
            print(f"{held.damaged:,} more are damaged and will be asked for anew; extractor cache clear removes all")
    return 1 if held.damaged else 0
