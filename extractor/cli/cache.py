"""`extractor cache`: the replies that were paid for, shown, verified or cleared."""

from __future__ import annotations

import argparse
import json

from extractor.cli.console import count_out, sanitize_for_terminal
from extractor.cli.endpoint_flags import add_cache_flag


def add_cache_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("cache", help="show, verify or clear the replies that were paid for")
    parser.add_argument(
        "action", nargs="?", choices=["show", "verify", "clear"], default="show", help="(default: show)"
    )
    add_cache_flag(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=run_cache_command)


def run_cache_command(flags: argparse.Namespace) -> int:
    """1 when replies are damaged, else 0; a folder that is not there is not made."""
    from extractor.models.cache import CacheContents, ReplyCache, find_cache_folder

    folder = flags.cache or find_cache_folder()
    if not folder.is_dir():
        held, cleared = CacheContents(folder, 0, 0), 0
    else:
        opened = ReplyCache(folder, lambda text: print(f"note: {sanitize_for_terminal(text)}"))
        try:
            held = opened.count_replies(verify=flags.action == "verify")
            cleared = opened.clear() if flags.action == "clear" else 0
        finally:
            opened.close()
    if flags.json:
        told = {"folder": str(held.folder), "replies": held.replies, "bytes": held.bytes, "damaged": held.damaged}
        print(json.dumps(told | ({"cleared": cleared} if flags.action == "clear" else {}), indent=1))
    elif flags.action == "clear":
        print(f"{count_out(cleared, 'reply', 'replies')} removed from {sanitize_for_terminal(str(folder))}")
    else:
        kept = f"{count_out(held.replies, 'reply', 'replies')}, {held.bytes / 1e6:,.1f} MB"
        print(f"{kept} in {sanitize_for_terminal(str(folder))}")
        if held.damaged:
            print(f"{held.damaged:,} more are damaged and will be asked for anew; extractor cache clear removes all")
    return 1 if held.damaged else 0
