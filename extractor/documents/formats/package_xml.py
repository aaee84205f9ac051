"""XML parts of packages (OpenDocument, EPUB): parsed with nothing fetched and nothing expanded."""

from __future__ import annotations

import zipfile
from typing import Any

from lxml import etree

from extractor.errors import DocumentError

Element = Any
"""An element of lxml, which comes without types."""
MAX_PART_BYTES = 100_000_000


def parse_package_xml(data: bytes, name: str) -> Element:
    """The root element. Raises DocumentError for what is no XML, or nested deeper than 256 levels."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        why = str(error).split("\n")[0][:120]
        raise DocumentError(
            f"{name} is broken ({why}); open it elsewhere and save it anew.", reason="broken"
        ) from error


def read_part(archive: zipfile.ZipFile, part: str, name: str) -> bytes | None:
    """The bytes of a part; None where there is none of that name. Raises DocumentError for a broken one."""
    try:
        with archive.open(part) as file:
            data = file.read(MAX_PART_BYTES + 1)
    except KeyError:
        return None
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
        raise DocumentError(f"{name} is broken ({error}); save it anew.", reason="broken") from error
    except Exception as error:  # zlib and others have errors of their own for packed bytes that are none
        if type(error).__module__ not in ("zlib", "lzma", "bz2"):
            raise
        raise DocumentError(f"{name} is broken ({error}); save it anew.", reason="broken") from error
    if len(data) > MAX_PART_BYTES:
        raise DocumentError(f"A part of {name} is over {MAX_PART_BYTES / 1e6:.0f} MB; split it.", reason="too large")
    return data
