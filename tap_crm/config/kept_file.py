"""A small JSON file that is only a memory: read liberally, written whole, and never a reason for a run to fail."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from pathlib import Path


def read_kept(file: Path) -> dict[str, Any]:
    """Return what a file has; nothing where it is missing or none of ours."""
    try:
        found = msgspec.json.decode(file.read_bytes())
    except (OSError, msgspec.DecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def write_kept(file: Path, content: dict[str, Any]) -> None:
    """Put a file in the place of the one that is there; nothing happens where that is not possible."""
    with suppress(OSError):
        descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        try:
            with os.fdopen(descriptor, "wb") as writing:
                writing.write(msgspec.json.encode(content))
            os.replace(name, file)  # noqa: PTH105 - a name as text
        except OSError:
            os.unlink(name)  # noqa: PTH108 - same
            raise
