"""Pages of the site that lie outside of docs/: the README as its start, and what stands beside it.

mkdocs calls `on_files` and `on_page_markdown` (mkdocs.yml, hooks).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
BESIDE = {"index.md": "README.md", **{name: name for name in ("SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")}}
"""Page of the site -> file of the repository."""
_LINK = re.compile(r"\]\(([^)\s#]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages from beside docs/, and leaves every decision in without listing each."""
    for page, source in BESIDE.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=_LINK.sub(_lead_into_docs, text)))
    for file in files.documentation_pages():
        if file.src_uri.startswith("decisions/") and not file.src_uri.endswith("README.md"):
            file.inclusion = file.inclusion.NOT_IN_NAV
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links to what lies beside docs/ lead to its page; to other files of the repository there is none."""
    up = "../" * page.file.src_uri.count("/")

    def lead(link: re.Match[str]) -> str:
        target, anchor = link[1], link[2] or ""
        name = target.removeprefix(up).removeprefix("../")
        return f"]({up}{name}{anchor})" if target.startswith("../") and name in BESIDE else link[0]

    return _LINK.sub(lead, markdown)


def _lead_into_docs(link: re.Match[str]) -> str:
    target, anchor = link[1], link[2] or ""
    if target.startswith("docs/"):
        return f"]({target.removeprefix('docs/')}{anchor})"
    if ":" in target or target in BESIDE or target == "README.md":
        return f"]({'index.md' if target == 'README.md' else target}{anchor})"
    return "]"  # a file of the repository that is no page
