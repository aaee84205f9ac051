"""Where a key comes from: a variable, or a file that one names. It is checked, and never shown."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from extractor.errors import UsageError

_LONGEST_KEY = 8192


def check_api_key(text: str, name: str = "OPENAI_API_KEY") -> str:
    """The key without surrounding white space. Raises UsageError, without showing it, for one that cannot be sent."""
    text = text.strip()
    if not re.fullmatch(r"[\x21-\x7e]+", text):
        raise UsageError(f"The API key holds characters that no key has; set {name} again.")
    return text


def find_api_key(variables: Iterable[str], environ: Mapping[str, str]) -> tuple[str, str] | None:
    """The first of the variables that is set, itself or with _FILE behind its name, and its key: (variable, key)."""
    for variable in variables:
        by_file = f"{variable}_FILE"
        given, file = environ.get(variable), environ.get(by_file)
        if given and file:
            raise UsageError(f"{variable} and {by_file} are both set; unset one of them.")
        if file:
            return by_file, read_key_file(file, by_file)
        if given:
            return variable, check_api_key(given, variable)
    return None


def read_key_file(file: str, name: str) -> str:
    """The key in a file that `name` names. Raises UsageError for one that holds none."""
    try:
        # Opening a FIFO would wait for ever, so what it is comes first.
        if not stat.S_ISREG(Path(file).stat().st_mode):
            raise UsageError(f"{name} names {file}, which is no regular file; name the file of the key.")
        with Path(file).open("rb") as content:
            text = content.read(_LONGEST_KEY + 1).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The key in {name} ({file}) cannot be read ({type(error).__name__}).") from None
    if len(text) > _LONGEST_KEY or not text.strip():
        raise UsageError(f"The file that {name} names ({file}) holds no key; put the key alone in it.")
    return check_api_key(text, name)


def read_env_file(path: Path) -> dict[str, str]:
    """The variables in a .env file. Nothing in it is run or filled in from elsewhere. Raises UsageError."""
    from dotenv import dotenv_values  # only where a file is named

    try:
        with path.open(encoding="utf-8") as stream:
            found = dotenv_values(stream=stream, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise UsageError(f"The file {path} of --env-file cannot be read ({reason}); check the path.") from None
    return {name: value for name, value in found.items() if value is not None}
