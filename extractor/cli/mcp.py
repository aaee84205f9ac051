"""`extractor mcp`: records for agents, over the Model Context Protocol."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from extractor.cli.serve import add_served_flags, require_serving_libraries
from extractor.errors import UsageError


def add_mcp_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    mcp = commands.add_parser("mcp", help="give agents tools: extract, ground, show_evidence (docs/mcp.md)")
    add_served_flags(mcp, "what is extracted where an agent gives no schema")
    mcp.add_argument("--document-timeout", type=float, metavar="SECONDS", help="for one document")
    allow = "a folder that files may be read from; may be repeated (default: none, texts only)"
    mcp.add_argument("--allow", type=Path, action="append", default=[], metavar="DIR", help=allow)
    mcp.set_defaults(command=run_mcp_command)


def run_mcp_command(flags: argparse.Namespace) -> int:
    """0 when the client has gone."""
    require_serving_libraries("mcp")
    from extractor.cli.serve_model import open_served_model
    from extractor.serving.mcp_tools import ExtractorTools, allow_folders, build_mcp_server
    from extractor.serving.shelf import TaskShelf

    if flags.mode in ("record", "update"):
        raise UsageError("Tools record no cassettes; use `extractor run --mode record` for that.")
    allowed = allow_folders(flags.allow)
    with open_served_model(flags) as (session, own):
        shelf = TaskShelf(own, session, flags.document_timeout)
        server = build_mcp_server(ExtractorTools(shelf, allowed, ocr=flags.ocr))
        asyncio.run(server.run_stdio_async())
    return 0
