"""Has documents done on the nodes of a cluster: hands them out, answers what nodes ask, replaces nodes that are lost.

A node is lost when its machine goes, or its process ends. Its documents are given to others; what they had been
answered is in the cache of paid replies, and what was under way is asked again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import pickle
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from extractor._version import __version__
from extractor.documents.discovery import Source
from extractor.documents.formats.answers import encode_document
from extractor.errors import DocumentError, MachineError
from extractor.models.choice import ModelSpec
from extractor.models.client_options import ClientOptions
from extractor.runs.cluster.calls import ActorCalls
from extractor.runs.cluster.connection import Cluster, ClusterNode
from extractor.runs.cluster.lending import Borrower, Lender
from extractor.runs.cluster.messages import (
    FileUnseen,
    NodeAssignment,
    NodeJob,
    SealedModel,
    decode_worked,
    describe_extractor,
    make_source_absolute,
)
from extractor.runs.document import DocumentExtractor
from extractor.runs.executor import Assignment, WorkedDocument, read_unchanging_document
from extractor.runs.source_state import SourceState, observe_source
from extractor.types import Json

LOOK_SECONDS = 1.0
"""Seconds between two looks for nodes that came."""
MOST_WAIT_SECONDS = 300.0
"""Seconds that a run waits while there is no node at all."""
MOST_DEATHS = 3
"""Workers that may end under a document, on machines that live on, before it is given up; and workers that may end on
a machine one after the other, with no document done, before the machine is."""
CLOSING_SECONDS = 1.0
"""Seconds that nodes have to end their models."""


class NodeLost(Exception):
    """A worker on the machine went away while it had the document."""

    def __init__(self, machine: ClusterNode) -> None:
        super().__init__(machine.name)
        self.machine = machine


@dataclass(slots=True)
class _Node:
    """An actor on a node, and what is under way there."""

    machine: ClusterNode
    actor: Any
    borrower: Borrower
    hands: int
    under_way: int = 0
    done: int = 0
    listener: asyncio.Task[None] | None = None


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """How a run uses a cluster."""

    cluster: Cluster
    choice: ModelSpec
    client: ClientOptions
    per_node: int = 1
    """Workers on each machine."""
    wanted: int = 0
    """Machines that the cluster's autoscaler is asked for; 0: none."""


class ClusterExecutor:
    """Does documents on a cluster, so many at a time on each node as requests may be under way there."""

    reads_here = False

    def __init__(self, extractor: DocumentExtractor, options: ClusterOptions) -> None:
        self._extractor, self._options, self._ray = extractor, options, options.cluster.ray
        self._lender = Lender(extractor, options.client.note)
        self._nodes: list[_Node] = []
        self._workers = Counter[str]()
        """By machine: those that are, or are being started."""
        self._failures = Counter[str]()
        self._hands_taken = 0
        self._waiters: list[asyncio.Future[None]] = []
        self._tasks = set[asyncio.Task[None]]()
        self._calls = ActorCalls()
        self._actors: list[Any] = []
        self._ended: Exception | None = None
        self._learnt: dict[str, Json] = {}
        self._unseen = False
        self._one_suspect = asyncio.Lock()
        """So that of documents under which a worker ended, none is given up for what another did."""

    async def __aenter__(self) -> Self:
        if self._options.wanted:
            await asyncio.to_thread(self._options.cluster.want_nodes, self._options.wanted)
        self._spawn(self._watch_nodes())
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        closing = [self._calls.begin(node.actor.aclose.remote()) for node in self._nodes]
        if closing:
            await asyncio.wait(closing, timeout=CLOSING_SECONDS)
        for actor in self._actors:
            with contextlib.suppress(Exception):  # the cluster may be gone, and the run is over
                self._ray.kill(actor)
        await self._calls.wait_for_all(CLOSING_SECONDS)  # they end with their actors
        if self._options.wanted:
            with contextlib.suppress(Exception):
                await asyncio.to_thread(self._options.cluster.want_nodes, 0)
        await self._lender.aclose()

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # Hands.

    async def take_hand(self) -> None:
        await self._wait_until(lambda: self._hands_taken < sum(node.hands for node in self._nodes))
        self._hands_taken += 1

    def return_hand(self) -> None:
        self._hands_taken -= 1
        self._wake()

    async def _wait_until(self, is_so: Callable[[], object]) -> None:
        while not is_so():
            if self._ended is not None:
                raise self._ended
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter
        if self._ended is not None:
            raise self._ended

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _end(self, error: Exception) -> None:
        self._ended = self._ended or error
        self._wake()

    # Documents.

    async def work(self, assignment: Assignment) -> WorkedDocument:
        source, deaths = make_source_absolute(assignment.source), 0
        try:
            given = NodeAssignment(source, assignment.known) if not self._unseen else await self._read_here(assignment)
        except DocumentError as error:
            return await _fail_to_read(assignment.source, error)
        while True:
            try:
                async with self._one_suspect if deaths else contextlib.nullcontext():
                    return await self._work_somewhere(given)
            except NodeLost as lost:
                deaths += await asyncio.to_thread(self._is_alive, lost.machine)
                if deaths >= MOST_DEATHS:
                    message = f"{source.name} brings the processes down that work on it; split it."
                    return WorkedDocument(SourceState(None), error=DocumentError(message, reason="broken"))
            except FileUnseen:
                try:
                    given = await self._read_here(assignment)
                except DocumentError as error:
                    return await _fail_to_read(assignment.source, error)

    async def _work_somewhere(self, given: NodeAssignment) -> WorkedDocument:
        await self._wait_until(lambda: any(node.under_way < node.hands for node in self._nodes))
        return await self._work_on_node(min(self._nodes, key=lambda one: one.under_way / one.hands), given)

    async def _read_here(self, assignment: Assignment) -> NodeAssignment:
        """The document itself, for a node that does not see its file."""
        document, sighting = await asyncio.to_thread(read_unchanging_document, assignment.source, assignment.sighting)
        if not self._unseen:
            self._unseen = True
            self._lender.say(
                f"The nodes do not see {assignment.source.name}, so that documents are read here and sent to them; "
                "put them in a folder that all nodes share to have them read there."
            )
        return NodeAssignment(assignment.source, assignment.known, encode_document(document), sighting.seen)

    async def _work_on_node(self, node: _Node, given: NodeAssignment) -> WorkedDocument:
        node.under_way += 1
        try:
            told = await self._calls.wait_for(node.actor.work.remote(pickle.dumps(given)))
        except self._ray.exceptions.RayError:
            self._lose(node)
            raise NodeLost(node.machine) from None
        finally:
            node.under_way -= 1
            self._wake()
        worked, learnt = decode_worked(told)
        node.done += 1
        self._failures[node.machine.id] = 0
        self._extractor.session.add_told_learnt(learnt)
        return worked

    def _is_alive(self, machine: ClusterNode) -> bool:
        return any(node.id == machine.id for node in self._options.cluster.list_nodes())

    # Nodes.

    async def _watch_nodes(self) -> None:
        """Starts workers on the nodes that there are, and on those that come."""
        loop, cluster = asyncio.get_running_loop(), self._options.cluster
        last = loop.time()
        while True:
            try:
                machines = await asyncio.to_thread(cluster.list_nodes)
            except Exception as error:  # noqa: BLE001 -- the head of the cluster is gone, in one of many ways
                self._end(MachineError(f"The cluster does not answer any more ({type(error).__name__}); run again."))
                return
            usable = [one for one in machines if self._failures[one.id] < MOST_DEATHS]
            for machine in usable:
                for _ in range(self._options.per_node - self._workers[machine.id]):
                    self._workers[machine.id] += 1
                    self._spawn(self._open_node(machine))
            if self._nodes or usable:
                last = loop.time()
            elif machines or loop.time() - last > MOST_WAIT_SECONDS:
                self._end(MachineError("No node of the cluster can do documents; look at its log (docs/scale.md)."))
                return
            await asyncio.sleep(LOOK_SECONDS)

    async def _open_node(self, machine: ClusterNode) -> None:
        embedded = self._options.choice.is_embedded
        inbox: list[Any] = []
        try:
            actor = self._options.cluster.start_worker(machine, owns_node=embedded)
            self._actors.append(actor)
            model = pickle.dumps(SealedModel(self._options.choice))
            told = await self._calls.wait_for(actor.open.remote(pickle.dumps(self._build_job()), model))
        except self._ray.exceptions.RayError:
            self._workers[machine.id] -= 1
            self._failures[machine.id] += 1
            if self._failures[machine.id] >= MOST_DEATHS:
                self._lender.say(
                    f"Node {machine.name} cannot do documents; install recordproof[ray] {__version__} there."
                )
            return
        try:
            self._require_same(machine, told)
        except Exception as error:  # noqa: BLE001 -- whatever the node says ends the run
            self._end(error)
            return
        node = _Node(
            machine,
            actor,
            Borrower(self._lender, self._build_teller(actor, inbox)),
            self._extractor.session.concurrency,
        )
        self._nodes.append(node)
        node.listener = asyncio.get_running_loop().create_task(self._listen(node))
        self._tasks.add(node.listener)
        self._wake()

    def _build_job(self) -> NodeJob:
        one, client = self._extractor, self._options.client
        return NodeJob(
            describe_extractor(one),
            one.session.concurrency,
            one.document_timeout,
            client.use_proxy,
            client.verbose,
            one.session.is_bounded,
            self._lender.store is not None,
            self._lender.store.place if self._lender.store else "",
        )

    def _require_same(self, machine: ClusterNode, told: bytes) -> None:
        """Raises what the node met, and MachineError where it is not of the same version as the run."""
        try:
            said = json.loads(told)
        except ValueError:
            decode_worked(told)  # an error, which it raises
            raise MachineError(f"Node {machine.name} does not answer as one of ours.") from None
        if said.get("version") != __version__:
            raise MachineError(
                f"Node {machine.name} has extractor {said.get('version')}, and this is {__version__}; install the same."
            )
        digest = self._extractor.session.endpoint.digest
        if said.get("digest") != digest:
            raise MachineError(f"Node {machine.name} has another file of the model than this machine; pull it anew.")

    def _build_teller(self, actor: Any, inbox: list[Any]) -> Callable[[list[Any]], None]:
        """Sends answers to a node, all those of one moment in one call."""
        loop = asyncio.get_running_loop()

        def send() -> None:
            messages = inbox.copy()
            inbox.clear()
            with contextlib.suppress(Exception):  # a node that is lost is noticed where its documents are
                actor.tell.remote(json.dumps(messages).encode())

        def tell(message: list[Any]) -> None:
            if not inbox:
                loop.call_soon(send)
            inbox.append(message)

        return tell

    async def _listen(self, node: _Node) -> None:
        try:
            while True:
                node.borrower.take_messages(await self._calls.wait_for(node.actor.listen.remote()))
        except Exception:  # noqa: BLE001 -- a node that is not listened to would wait for ever for what it asks
            self._lose(node)

    def _lose(self, node: _Node) -> None:
        if node not in self._nodes:
            return
        self._nodes.remove(node)
        self._workers[node.machine.id] -= 1
        self._failures[node.machine.id] += not node.done
        node.borrower.lose()
        self._actors.remove(node.actor)
        with contextlib.suppress(Exception):  # it may be unreachable, and alive
            self._ray.kill(node.actor)
        self._wake()


async def _fail_to_read(source: Source, error: DocumentError) -> WorkedDocument:
    return WorkedDocument(await asyncio.to_thread(observe_source, source), error=error)
