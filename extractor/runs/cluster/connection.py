"""The way to a cluster: Ray started here, or joined where it runs. Nothing of a run's keys goes with it."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from extractor.child_processes import build_child_environment, find_neutral_folder
from extractor.errors import MachineError, UsageError, name_install_command
from extractor.runs.cluster.node import NodeWorker

LOCAL = "ray"
"""What names a cluster of this machine alone, for the time of the run."""
MOST_CALLS = 1 << 14
"""Calls of a node that are under way at a time: documents, and answers to what they ask."""
_VARIABLES = (
    *("HOME", "USER", "PYTHONPATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("RAY_*", "XDG_*", "EXTRACTOR_HOME", "CUDA_*", "OMP_*", "COVERAGE_PROCESS_CONFIG"),
)
"""What processes that Ray starts here are given of the environment: no key is in it."""


@dataclass(frozen=True, slots=True)
class ClusterNode:
    """A machine of the cluster."""

    id: str
    name: str
    cpus: float
    gpus: float


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that this process is connected to."""

    ray: Any
    """The module."""

    def list_nodes(self) -> list[ClusterNode]:
        """The nodes that are alive and have a processor to give."""
        found = []
        for node in self.ray.nodes():
            amounts = node.get("Resources", {})
            if node.get("Alive") and amounts.get("CPU", 0) >= 1:
                name = str(node.get("NodeManagerHostname") or node.get("NodeManagerAddress"))
                found.append(ClusterNode(node["NodeID"], name, amounts["CPU"], amounts.get("GPU", 0)))
        return found

    def start_worker(self, node: ClusterNode, *, owns_node: bool) -> Any:
        """An actor on the node, with one processor of it, or all of it."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        place = NodeAffinitySchedulingStrategy(node_id=node.id, soft=False)
        return (
            self.ray.remote(NodeWorker)
            .options(
                num_cpus=node.cpus if owns_node else 1,
                num_gpus=node.gpus if owns_node else 0,
                max_restarts=0,
                max_task_retries=0,
                max_concurrency=MOST_CALLS,
                scheduling_strategy=place,
            )
            .remote()
        )

    def want_nodes(self, count: int) -> None:
        """Tells the cluster's autoscaler, if there is one, how many processors are wanted; 0: none any more."""
        from ray.autoscaler.sdk import request_resources

        request_resources(bundles=[{"CPU": 1}] * count)


@contextlib.contextmanager
def connect_cluster(where: str) -> Iterator[Cluster]:
    """A cluster: "ray" starts one here, which ends with the block; an address, or ray://host:port, joins one.

    Raises UsageError where Ray is not installed, MachineError where there is no cluster.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError:
        raise UsageError(f"--on {where} needs Ray: {name_install_command('ray')}") from None
    if ray.is_initialized():
        raise UsageError("Ray is connected already in this process; end that with ray.shutdown().")
    logging.getLogger("ray").setLevel(logging.ERROR)
    starts = where == LOCAL
    own: dict[str, Any] = {"include_dashboard": False, "num_cpus": os.cpu_count()} if starts else {}
    quiet: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False, "configure_logging": False}
    try:
        with _without_keys():
            ray.init("local" if starts else where, **own, **quiet)
    except (ConnectionError, ValueError, RuntimeError, ImportError, TimeoutError) as error:
        reason = " ".join(str(error).split())[:200]
        raise MachineError(f"No Ray cluster answers at {where} ({reason}); check the address.") from None
    try:
        yield Cluster(ray)
    finally:
        ray.shutdown()


@contextlib.contextmanager
def _without_keys() -> Iterator[None]:
    """A block in which processes are started with what any program needs of the environment, and in no folder of the
    user's: workers of Ray's look for modules in the folder that they are started from."""
    before, folder = dict(os.environ), Path.cwd()
    kept = build_child_environment(*_VARIABLES)
    os.environ.clear()
    os.environ.update(kept)
    os.chdir(find_neutral_folder())
    try:
        yield
    finally:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(before)
