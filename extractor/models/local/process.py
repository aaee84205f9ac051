"""The process in which llama.cpp runs. `server` starts it; nothing else imports it.

A process of its own, since a server in the same process could not be stopped: llama.cpp's waits for replies that are
being made, and holds Python's lock meanwhile, so that one open connection hangs the whole run, even against Ctrl-C.

It reads one line of JSON and writes one (see `engines`), and serves until its standard input ends, which is when its
parent closes it or has ended in any way; then it exits.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

from extractor.models.local.engines import read_features


def build_server_parameters(xllamacpp: Any, order: dict[str, Any]) -> Any:
    p = xllamacpp.CommonParams()
    p.model.path = order["path"]
    p.model_alias = {order["model"]}  # else every reply would contain the path of the file
    p.hostnames = [order["host"]]
    p.port = order["port"]
    p.api_keys = [order["key"]]
    p.n_ctx = order["n_ctx"]
    p.n_parallel = order["n_parallel"]
    p.n_batch = order["n_batch"]
    p.n_ubatch = order["n_ubatch"]
    p.cpuparams.n_threads = p.cpuparams_batch.n_threads = order["n_threads"]
    p.cache_ram_mib = order["cache_mib"]
    # read, not mapped: llama.cpp keeps most tensors in a layout of its own, so that mapped pages would count twice
    # (2.1 GB instead of 1.5 for 1.5 B parameters), and a file cut short under a mapping kills the process
    p.load_mode = xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_NONE
    p.fit_params = False  # it would shrink the context to the memory that happens to be free
    p.verbosity = 3 if order["verbose"] else 1  # errors alone, for the reason when loading fails
    p.offline = True
    p.ui = p.endpoint_slots = p.endpoint_metrics = p.endpoint_props = False
    p.cors_origins, p.cors_credentials = "", False  # no page in a browser has anything to ask here
    return p


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is handled by the parent
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever llama.cpp prints is log
    order = json.loads(sys.stdin.readline())

    def report_status(**what: Any) -> None:
        answer.write(json.dumps(what) + "\n")
        answer.flush()

    try:
        import xllamacpp  # 0.1 s, and it may fail where a library of the system is missing
    except ImportError as error:
        report_status(failed="import", reason=str(error))
        return
    try:
        server = xllamacpp.Server(build_server_parameters(xllamacpp, order))
    except (RuntimeError, ValueError) as error:  # a path that is not UTF-8 is a ValueError
        report_status(failed="load", reason=str(error))
        return
    try:
        features = read_features(str(xllamacpp.get_system_info()))
        report_status(address=server.listening_address, build=str(xllamacpp.__version__), features=features)
        sys.stdin.read()
    finally:
        os._exit(0)  # without waiting for replies that nobody reads
