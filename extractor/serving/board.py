"""The jobs of a server: taken in, done a bounded number at a time, each key in its turn, and told of."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, BinaryIO, TypeVar

from extractor.documents.discovery import load_bytes
from extractor.errors import ExtractorError, MachineError
from extractor.results.file import build_failed_result, encode_part
from extractor.runs.bugs import describe_bug
from extractor.runs.given import GIVEN_MANIFEST
from extractor.serving.jobs import Job, JobOrder, JobState, end_order
from extractor.serving.metrics import ServerMetrics
from extractor.serving.shelf import TaskShelf
from extractor.serving.store import JobStore
from extractor.types import Status

GRACE_SECONDS = 2.0
"""Seconds that jobs under way have to end when the server stops; what is not done is done after the next start."""
DISK_PAUSE_SECONDS = 5.0
"""Seconds until a job is tried again whose record could not be saved."""
DISK_THREADS, READER_THREADS = 4, 8
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class JobTools:
    """What jobs are done with."""

    store: JobStore
    shelf: TaskShelf
    metrics: ServerMetrics
    ocr: bool = False
    on_bug: Callable[[str, Exception], None] = lambda name, error: None


class JobBoard:
    """All jobs of a server. It is used on one event loop; disk and readers have threads of their own."""

    def __init__(self, tools: JobTools, orders: Iterable[JobOrder]) -> None:
        self._tools = tools
        self._jobs = {order.id: Job(order) for order in orders}
        self._repeats = {(o.owner, o.repeat): o.id for o in (j.order for j in self._jobs.values()) if o.repeat}
        self._waiting: OrderedDict[str, deque[Job]] = OrderedDict()
        """Of each key the jobs that nobody works on; the key whose turn is next comes first."""
        self._unfinished = defaultdict[str, set[str]](set)
        """Of each key the jobs that are not over, by their names."""
        self._has_work = asyncio.Condition()
        self._accepting: set[asyncio.Task[None]] = set()
        self._disk = ThreadPoolExecutor(DISK_THREADS, thread_name_prefix="extractor-jobs")
        self._readers = ThreadPoolExecutor(READER_THREADS, thread_name_prefix="extractor-readers")
        self.is_stopping = asyncio.Event()
        self.trouble = ""
        """Why no record can be saved at the moment."""
        for job in self._jobs.values():
            if not job.is_over:
                self._unfinished[job.order.owner].add(job.order.id)
                self._put(job)

    def find(self, owner: str, name: str) -> Job | None:
        """The job of that name, if it is this owner's."""
        job = self._jobs.get(name)
        return job if job is not None and job.order.owner == owner else None

    def find_repeat(self, owner: str, repeat: str) -> Job | None:
        return self.find(owner, self._repeats.get((owner, repeat), "")) if repeat else None

    def count_unfinished(self, owner: str) -> int:
        return len(self._unfinished[owner])

    def count_states(self) -> dict[str, int]:
        counts = dict.fromkeys((state.value for state in JobState), 0)
        for job in self._jobs.values():
            counts[job.state.value] += 1
        return counts

    async def accept(self, order: JobOrder, document: Iterable[bytes]) -> Job:
        """The job, when it is on disk. Raises MachineError."""
        job = self._jobs[order.id] = Job(order)  # at once, so that the same request sent again finds it
        self._unfinished[order.owner].add(order.id)
        if order.repeat:
            self._repeats[order.owner, order.repeat] = order.id
        accepting = asyncio.create_task(self._accept(job, document))
        self._accepting.add(accepting)
        accepting.add_done_callback(self._accepting.discard)
        await asyncio.shield(accepting)  # what is on disk is also known, be its sender gone or not
        return job

    async def _accept(self, job: Job, document: Iterable[bytes]) -> None:
        try:
            await self._on_disk(self._tools.store.accept, job.order, document)
        except BaseException:
            self._forget(job)
            raise
        async with self._has_work:
            self._put(job)
            self._has_work.notify()

    async def open_result(self, job: Job) -> BinaryIO:
        """The record's file, to be read piece by piece: it may be large, and who asked may read it slowly or not."""
        return await self._on_disk(self._tools.store.open_result, job.order)

    async def remove(self, job: Job) -> None:
        """Removes a job for good; what works on it is ended."""
        self._forget(job)
        if job.work is not None:
            job.work.cancel()
            await asyncio.wait([job.work])
        await self._on_disk(self._tools.store.remove, job.order)

    async def remove_old(self, before: float) -> None:
        """Removes jobs that were done before that second since 1970."""
        for job in [j for j in self._jobs.values() if j.order.ended is not None and j.order.ended < before]:
            await self.remove(job)

    async def run(self, hands: int) -> None:
        """Works on jobs, so many at a time, until the server stops."""
        crew = [asyncio.create_task(self._work()) for _ in range(hands)]
        await self.is_stopping.wait()
        async with self._has_work:
            self._has_work.notify_all()
        await asyncio.wait(crew, timeout=GRACE_SECONDS)
        for one in crew:
            one.cancel()
        await asyncio.gather(*crew, return_exceptions=True)
        self._readers.shutdown(wait=False, cancel_futures=True)
        self._disk.shutdown(wait=True)

    async def run_apart(self, work: Callable[..., T], *arguments: Any) -> T:
        """What reads a document, in a thread of those that do."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, partial(work, *arguments))

    async def _on_disk(self, work: Callable[..., T], *arguments: Any) -> T:
        """Work on the disk. What was begun is ended before a cancellation goes on, so that nothing else gets there."""
        begun = asyncio.get_running_loop().run_in_executor(self._disk, partial(work, *arguments))
        try:
            return await asyncio.shield(begun)
        except asyncio.CancelledError:
            await asyncio.wait([begun])
            raise

    def _put(self, job: Job) -> None:
        self._waiting.setdefault(job.order.owner, deque()).append(job)

    def _forget(self, job: Job) -> None:
        self._jobs.pop(job.order.id, None)
        self._repeats.pop((job.order.owner, job.order.repeat), None)
        self._unfinished[job.order.owner].discard(job.order.id)
        job.remove()

    async def _work(self) -> None:
        while (job := await self._take()) is not None:
            job.work = asyncio.create_task(self._do(job))
            try:
                await asyncio.wait([job.work])
            finally:
                if not job.work.done():
                    job.work.cancel()
            if not job.work.cancelled() and (error := job.work.exception()) is not None:
                self.trouble = str(error) if isinstance(error, MachineError) else f"{type(error).__name__}"
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.is_stopping.wait(), DISK_PAUSE_SECONDS)
                if not job.is_removed:
                    job.change(JobState.WAITING)
                    self._put(job)
            job.work = None

    async def _take(self) -> Job | None:
        """The next job, of the key that has waited longest; None when the server stops."""
        while True:
            async with self._has_work:
                await self._has_work.wait_for(lambda: self._waiting or self.is_stopping.is_set())
                if self.is_stopping.is_set():
                    return None
                owner, jobs = self._waiting.popitem(last=False)
                job = jobs.popleft()
                if jobs:
                    self._waiting[owner] = jobs
                if not job.is_removed:
                    return job

    async def _do(self, job: Job) -> None:
        """Does a job and has its result on disk. Raises MachineError where that fails."""
        job.change(JobState.WORKING)
        result, status = await self._build_result(job)
        ended = end_order(job.order, status.value)
        await self._on_disk(self._tools.store.finish, ended, result)
        self.trouble = ""
        if job.is_removed:  # while its result was being written
            await self._on_disk(self._tools.store.remove, ended)
            return
        self._unfinished[ended.owner].discard(ended.id)
        self._tools.metrics.count_document(status, ended)
        job.change(JobState.DONE, ended)

    async def _build_result(self, job: Job) -> tuple[bytes, Status]:
        order, tools = job.order, self._tools
        try:
            content = await self._on_disk(tools.store.read_document, order)
            extractor = await tools.shelf.find(order)
            document = await self.run_apart(partial(load_bytes, content, order.name, ocr=tools.ocr))

            def count_reply(usage: Any) -> None:
                tools.metrics.count_reply(usage)
                job.count_reply(usage)

            done = await replace(extractor, on_reply=count_reply).extract(document)
            result = done.result if isinstance(done.result, bytes) else encode_part(done.result)
            return result, done.summary.status
        except MachineError:
            raise
        except ExtractorError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 -- one document must not end the server for all others
            tools.on_bug(order.name, error)
            failure = describe_bug(order.name, error)
        own = tools.shelf.own
        failed = (
            own.build_failed_result(order.name, failure)
            if own is not None and order.schema is None
            else build_failed_result(order.name, failure, "", GIVEN_MANIFEST)
        )
        return encode_part(failed), Status.FAILED
