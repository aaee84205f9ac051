import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from extractor.models.openai.deadline import enforce_deadline
from extractor.testing import FaultEndpoint


def test_what_takes_too_long_is_cancelled() -> None:
    async def go() -> float:
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            async with enforce_deadline(0.2):
                await asyncio.sleep(30)
        async with enforce_deadline(30):
            await asyncio.sleep(0)
        return time.monotonic() - started

    assert 0.2 <= asyncio.run(go()) < 10


PROGRAM = """
import asyncio, sys, time
from extractor.types import Request
from extractor.models.endpoint import Connection, Dialect, Endpoint
from extractor.models.openai.client import LiveModel
SHAPE = {{"type": "object", "properties": {{"item": {{"type": ["string", "null"]}}}}}}
async def go():
    waits = Connection(question_deadline=2.5, attempts=1)
    model = LiveModel(Endpoint({url!r}, "m", "none", dialect=Dialect.SCHEMA, connection=waits))
    def ask(i):
        return model.complete(Request("m", "s", str(i), SHAPE, {{}}))
    await ask(0)
    print("asking", flush=True)
    told = await asyncio.gather(*(ask(i) for i in range(4)), return_exceptions=True)
    print([repr(t) if isinstance(t, Exception) else t.value["item"] for t in told])
    await model.aclose()
asyncio.run(go())
"""


@pytest.mark.fault(27)
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no SIGSTOP on this system")
def test_a_stopped_process_goes_on_where_it_was() -> None:
    with FaultEndpoint(lambda body, n: '{"item": "bolt"}', latency=1.0) as server:
        run = subprocess.Popen(
            [sys.executable, "-c", PROGRAM.format(url=server.url)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
        )
        assert run.stdout is not None and run.stdout.readline() == "asking\n"
        time.sleep(0.4)
        run.send_signal(signal.SIGSTOP)
        time.sleep(4.0)  # longer than the deadline: the replies lie ready since long, and none was slow
        run.send_signal(signal.SIGCONT)
        out, err = run.communicate(timeout=60)
    assert out.strip() == str(["bolt"] * 4), out + err
    assert server.requests == 5


@pytest.mark.fault(27)
def test_no_time_that_is_measured_is_of_a_clock_that_can_be_set(repository: Path) -> None:
    files = [*repository.glob("extractor/models/**/*.py"), *repository.glob("extractor/runs/*.py")]
    assert len(files) > 20
    for file in [*files, repository / "extractor" / "extraction" / "pipeline.py"]:
        source = file.read_text(encoding="utf-8")
        if file.name == "state.py":  # how far another process is, whose clock is not this one's
            continue
        assert "time.time()" not in source and "datetime.now" not in source, file.name
