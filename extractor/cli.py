"""Flags to parts: the only place where parts are chosen and put together, and where errors become exit codes.

0  every record is complete            2  nothing was run: usage, no model, no input
1  some record wants a look            3  the machine failed us        130  interrupted
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from extractor import __version__, console
from extractor.errors import ExtractorError, MachineError, UsageError

if TYPE_CHECKING:
    from extractor.runner import Job

EXAMPLES = """\
examples:
  extractor run my_docs/                       records of every text file, on the embedded model
  extractor run cv.md -o out --prompt whole    one file, one prompt version
  extractor run docs/ --task my_task/          your own schema and prompts (a folder)
  extractor run docs/ --model NAME --base-url http://localhost:8000/v1     any OpenAI-compatible endpoint
  extractor show out                           one HTML page: each value beside the words that prove it
  extractor models pull qwen2.5-coder-1.5b     fetch an embedded model
  extractor eval --mode replay                 score the recorded comparison against gold
"""


def entry() -> None:
    raise SystemExit(main())


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code of one command."""
    parser = _parser()
    flags = parser.parse_args(arguments)
    if not hasattr(flags, "command"):
        parser.print_help()
        return 2
    try:
        code: int = flags.command(flags)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("Interrupted; what was finished is kept.", file=sys.stderr)
        return 130
    except MachineError as error:
        print(f"error: {console.visible(str(error))}", file=sys.stderr)
        return 3
    except ExtractorError as error:
        print(f"error: {console.visible(str(error))}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        with contextlib.suppress(OSError):
            sys.stderr.close()
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="extractor",
        description="Typed records out of documents, every value proved by the words it came from.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"extractor {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _run_flags(commands.add_parser("run", help="extract records from documents"))
    show = commands.add_parser("show", help="write a page that shows records beside their documents")
    show.add_argument("out", type=Path, help="the folder that a run wrote")
    show.add_argument("-o", "--output", type=Path, help="the page (default: OUT/index.html)")
    show.set_defaults(command=_show)
    models = commands.add_parser("models", help="list the embedded models, or fetch one")
    models.add_argument("--json", action="store_true", help="print JSON")
    models.set_defaults(command=_models)
    pull = models.add_subparsers(metavar="").add_parser("pull", help="fetch a model and check its digest")
    pull.add_argument("name", help="its name in the list")
    pull.set_defaults(command=_pull)
    _eval_flags(commands.add_parser("eval", help="score runs against gold and compare models and prompts"))
    return parser


def _model_flags(parser: argparse.ArgumentParser, mode: str) -> None:
    parser.add_argument("--mode", choices=["live", "record", "replay"], default=mode, help=f"(default: {mode})")
    parser.add_argument("--cassettes", type=Path, default=Path("cassettes"), help="tapes (default: cassettes)")
    parser.add_argument("--base-url", help="an OpenAI-compatible endpoint (or OPENAI_BASE_URL, with OPENAI_API_KEY)")
    parser.add_argument("-v", "--verbose", action="store_true", help="also the engine's own log")


def _run_flags(run: argparse.ArgumentParser) -> None:
    run.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="text files, or folders of them")
    run.add_argument("-o", "--out", type=Path, default=Path("out"), help="folder for the results (default: out)")
    run.add_argument("--task", default="researcher", help="a task's name or folder (default: researcher)")
    run.add_argument("--prompt", help="prompt version of the task (default: the one it prefers)")
    run.add_argument("--model", help="embedded model, path of a .gguf, or the endpoint's model name")
    _model_flags(run, "live")
    run.add_argument("--concurrency", type=int, metavar="N", help="requests at a time (default: 1 embedded, 8 else)")
    run.add_argument("--keep-unsupported", action="store_true", help="keep values without evidence, marked as such")
    run.add_argument("--json", action="store_true", help="print a JSON summary on stdout")
    run.add_argument("--quiet", action="store_true", help="no progress, no summary")
    run.set_defaults(command=_run)


def _eval_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--suite", type=Path, default=Path("eval"), help="folder with suite.toml (default: eval)")
    parser.add_argument("--runs", nargs="+", type=Path, metavar="OUT", help="score these finished runs instead")
    parser.add_argument("-o", "--out", type=Path, default=Path("report"), help="for the report (default: report)")
    _model_flags(parser, "replay")
    parser.add_argument(
        "--fail-under",
        action="append",
        default=[],
        metavar="[FIELD=]F1",
        help="the least micro-F1 of every run, over all or of one field, as 'lines[].price=0.8'; may be repeated",
    )
    parser.add_argument(
        "--max-invented",
        action="append",
        default=[],
        metavar="[FIELD=]N",
        help="the most leaves a run may invent, over all or of one field; may be repeated",
    )
    parser.add_argument("--max-failed", type=int, metavar="N", help="the most documents that may fail")
    parser.add_argument("--only", nargs="+", default=[], metavar="RUN", help="the runs that must pass (default: all)")
    parser.add_argument("--baseline", type=Path, help="compare with this baseline; any drop fails")
    parser.add_argument("--allowed-drop", type=float, default=0.0, metavar="F1", help="from the baseline (default: 0)")
    parser.add_argument("--update-baseline", type=Path, metavar="FILE", help="write a baseline of this evaluation")
    parser.set_defaults(command=_eval)


def _run(flags: argparse.Namespace) -> int:
    from extractor import documents, models, results, runner, tasks

    task = tasks.load(flags.task)
    prompt = task.prompt(flags.prompt)
    sources = documents.find(flags.paths)
    choice = models.choose(flags.model, flags.base_url)
    results.prepare(flags.out)
    say = console.Progress(not flags.quiet and sys.stderr.isatty(), len(sources))
    with extraction(flags, task, prompt, choice, flags.out, say) as job:
        outcomes = asyncio.run(runner.run(job, sources))
    say.done()
    if flags.json:
        print(json.dumps([console.plain(o) for o in outcomes], ensure_ascii=False, indent=1))
    elif not flags.quiet:
        console.table(outcomes, flags.out)
    return runner.exit_code(outcomes)


@contextlib.contextmanager
def extraction(
    flags: argparse.Namespace, task: Any, prompt: Any, choice: Any, out: Path, say: console.Progress, again: str = ""
) -> Iterator[Job]:
    """The job that runs one model with one prompt, its engine running while the block lasts; repeats have own tapes."""
    from extractor import manifests, models, runner

    mode = models.Mode(flags.mode)
    tapes = flags.cassettes / task.name / Path(choice.name).name / f"{prompt.name}{again}"
    with models.endpoint(choice, mode, flags.verbose) as endpoint:
        yield runner.Job(
            task=task,
            prompt=prompt,
            model_name=choice.name,
            manifest=manifests.of(task, prompt, endpoint),
            out=out,
            open_model=models.opener(endpoint, mode, tapes),
            at_once=getattr(flags, "concurrency", None) or (1 if choice.embedded else 8),
            keep_unsupported=getattr(flags, "keep_unsupported", False),
            on_reply=say.reply,
            on_document=say.document,
        )


def _show(flags: argparse.Namespace) -> int:
    from extractor import page

    print(page.write(flags.out, flags.output or flags.out / "index.html"))
    return 0


def _models(flags: argparse.Namespace) -> int:
    from extractor import weights

    held = weights.status()
    if flags.json:
        print(json.dumps(weights.as_json(held), indent=1))
        return 0
    rows = weights.rows(held)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0


def _pull(flags: argparse.Namespace) -> int:
    from extractor import pulls

    with console.bar(flags.name) as progress:
        found = pulls.pull(flags.name, progress=progress, note=lambda text: print(text, file=sys.stderr))
    print(found.path)
    return 0


def _eval(flags: argparse.Namespace) -> int:
    from extractor.evaluation import evaluate

    least, least_of = _bounds("--fail-under", flags.fail_under, float)
    most, most_of = _bounds("--max-invented", flags.max_invented, int)
    gates = {
        "fail_under": least,
        "fail_under_fields": least_of,
        "max_invented": most,
        "max_invented_fields": most_of,
        "max_failed": flags.max_failed,
        "allowed_drop": flags.allowed_drop,
        "runs": tuple(flags.only),
    }
    suite = evaluate.read(flags.suite)
    true = evaluate.truth(suite)
    folders = flags.runs or _suite_runs(flags, suite)
    verdict, paths = evaluate.report(
        suite, true, folders, flags.out, gates, baseline_file=flags.baseline, update=flags.update_baseline
    )
    print(verdict.sentence)
    for path in paths:
        print(path)
    return verdict.exit_code


_Bound = TypeVar("_Bound", int, float)


def _bounds(
    flag: str, given: Sequence[str], number: Callable[[str], _Bound]
) -> tuple[_Bound | None, dict[str, _Bound]]:
    """The bound over everything, and those of single fields. Raises UsageError for what is no number."""
    overall: _Bound | None = None
    of: dict[str, _Bound] = {}
    for text in given:
        field, _, bound = text.rpartition("=")
        try:
            value = number(bound)
        except ValueError:
            raise UsageError(
                f"{flag} {text!r} holds no number after the field; write 'FIELD=NUMBER' or a number."
            ) from None
        if field:
            of[field] = value
        else:
            overall = value
    return overall, of


def _suite_runs(flags: argparse.Namespace, suite: Any) -> list[Path]:
    """Runs or replays every model with every prompt of the suite that is not there yet; the folders of results."""
    from extractor import documents, manifests, models, results, runner

    folders = []
    sources = documents.find([suite.samples])
    for model, name, n in itertools.product(suite.models, suite.prompts, range(1, suite.repeats + 1)):
        again = "" if n == 1 else f"-{n}"
        out = flags.out / "runs" / Path(model).name / f"{name}{again}"
        folders.append(out)
        choice = models.choose(model, flags.base_url)
        prompt = suite.task.prompt(name)
        if flags.mode != "replay":
            with models.endpoint(choice, models.Mode.REPLAY) as named:
                if results.finished(out, manifests.of(suite.task, prompt, named), len(sources)):
                    continue
        results.prepare(out)
        say = console.Progress(sys.stderr.isatty(), len(sources))
        with extraction(flags, suite.task, prompt, choice, out, say, again) as job:
            asyncio.run(runner.run(job, sources))
        say.done()
    return folders
