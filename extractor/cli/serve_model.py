"""The model and the task that flags name, open for as long as somebody asks."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from dataclasses import replace

from extractor.cli.asking import settle_prompt
from extractor.cli.console import print_notes
from extractor.cli.endpoint_flags import (
    choose_flagged_model,
    read_client_options,
    read_document_deadline,
)
from extractor.cli.trust import allow_task_code
from extractor.documents.confinement.confine import hide_from_readers
from extractor.extraction.task import choose_task, find_task_code
from extractor.models.prices import SHIPPED_PRICES, load_prices
from extractor.models.session import ModelSession, open_session
from extractor.runs.document import DocumentExtractor, build_extractor
from extractor.runs.resources import limit_concurrency


@contextlib.contextmanager
def open_served_model(flags: argparse.Namespace) -> Iterator[tuple[ModelSession, DocumentExtractor | None]]:
    """What answers while the block lasts, and what asks it for records of the task that flags name, if they name one.

    Raises UsageError and TaskError as a run does.
    """
    choice = choose_flagged_model(flags, flags.model, live=flags.mode != "replay")
    deadline = read_document_deadline(flags, choice)
    options = read_client_options(flags, flags.mode, flags.concurrency, load_prices(SHIPPED_PRICES))
    at_once = limit_concurrency(choice.choose_concurrency(flags.concurrency))
    print_notes(allow_task_code(find_task_code(flags.task, flags.schema), flags, is_named=True))
    named = None
    if flags.task or flags.schema:
        task, version = choose_task(flags.task, flags.schema, flags.prompt)
        named = task, settle_prompt(flags, task, version, flags.prompt)
    with hide_from_readers(), open_session(choice, replace(options, concurrency=at_once)) as session:
        own = build_extractor(*named, session, document_timeout=deadline) if named else None
        yield session, own
