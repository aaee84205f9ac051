"""The file that a child process begins with (see `child_processes`); nothing imports it.

    python -I child_start.py PACKAGE FOLDERS MODULE ARGUMENT...

The package is loaded from its folder, not looked for: a folder of its name elsewhere is never taken for it.
"""

import importlib
import importlib.util
import json
import sys
from pathlib import Path


def start_child(package: str, folders: str, module: str, arguments: list[str]) -> None:
    sys.path += [folder for folder in json.loads(folders) if folder not in sys.path]
    spec = importlib.util.spec_from_file_location(
        "extractor", Path(package) / "__init__.py", submodule_search_locations=[package]
    )
    if spec is None or spec.loader is None:
        raise ImportError(package)
    sys.modules["extractor"] = loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    importlib.import_module(module).main(*arguments)


if __name__ == "__main__":
    start_child(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
