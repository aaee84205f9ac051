"""The flags that say where a run's documents are done: on this machine, or on a cluster."""

from __future__ import annotations

import argparse
import contextlib
from typing import TYPE_CHECKING

from extractor.errors import UsageError

if TYPE_CHECKING:
    from extractor.models.choice import ModelSpec
    from extractor.models.client_options import ClientOptions
    from extractor.runs.cluster.connection import Cluster
    from extractor.runs.document import DocumentExtractor
    from extractor.runs.ensemble import EnsembleExtractor
    from extractor.runs.executor import Executor


def add_cluster_flags(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("cluster")
    where = "do documents on a Ray cluster: ray (one of this machine), ray://HOST:PORT, or an address (docs/scale.md)"
    group.add_argument("--on", metavar="CLUSTER", help=where)
    nodes = "nodes that the cluster's autoscaler is asked for (default: those that there are)"
    group.add_argument("--nodes", type=int, default=0, metavar="N", help=nodes)
    group.add_argument("--per-node", type=int, default=1, metavar="N", help="processes on each node (default: 1)")


def open_cluster(flags: argparse.Namespace) -> contextlib.AbstractContextManager[Cluster | None]:
    """The cluster that the flags name, for as long as the block lasts. Raises UsageError and MachineError."""
    if flags.on is None:
        if flags.nodes or flags.per_node != 1:
            raise UsageError("--nodes and --per-node are of a cluster; name one with --on.")
        return contextlib.nullcontext()
    if flags.mode != "live":
        raise UsageError(f"--mode {flags.mode} records and plays on this machine; leave out --on.")
    if flags.nodes < 0 or flags.per_node < 1:
        raise UsageError("--nodes and --per-node count nodes and processes; give numbers above 0.")
    from extractor.runs.cluster.connection import connect_cluster  # with it comes Ray

    return connect_cluster(flags.on)


def build_executor(
    flags: argparse.Namespace,
    cluster: Cluster | None,
    extractor: DocumentExtractor | EnsembleExtractor,
    choice: ModelSpec,
    client: ClientOptions,
) -> Executor | None:
    """What does the documents on the cluster; None where this process does them."""
    if cluster is None:
        return None
    from extractor.runs.cluster.executor import ClusterExecutor, ClusterOptions
    from extractor.runs.document import DocumentExtractor

    if not isinstance(extractor, DocumentExtractor):
        raise UsageError("--on spreads the documents of one model; combine finished runs with extractor combine.")
    return ClusterExecutor(extractor, ClusterOptions(cluster, choice, client, flags.per_node, flags.nodes))
