"""What a process that dies would leave of its files at each step of a database: copies of them, as they are then.

A copy of a database's files with those of its log, taken while a transaction is under way, is what is there when the
process is killed at that place: what another process reads after that, and goes on with.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

_EVENTS = ("before_cursor_execute", "after_cursor_execute", "commit", "rollback")


def copied(folder: Path, to: Path) -> Path:
    """Copy the files of a folder, as they are, into a new one; return that."""
    to.mkdir()
    for file in folder.iterdir():
        if file.is_file():
            shutil.copyfile(file, to / file.name)
    return to


def different(images: Iterable[tuple[str, Path]]) -> Iterator[tuple[str, Path]]:
    """Yield those images that differ from the one before: at the others nothing was written."""
    last: dict[str, bytes] | None = None
    for step, folder in images:
        found = {file.name: file.read_bytes() for file in folder.iterdir() if not file.name.endswith("-shm")}
        if found != last:
            yield step, folder
        last = found


@contextmanager
def each_step(act: Callable[[str], None]) -> Iterator[None]:
    """Call something before and after each statement of any database of this process, and before each commit."""
    is_acting = False

    def listener(name: str) -> Callable[..., None]:
        def note(*details: Any) -> None:  # noqa: ANN401 - as SQLAlchemy gives them
            nonlocal is_acting
            if is_acting:
                return
            is_acting = True
            try:
                act(f"{name} {details[2].split(maxsplit=1)[0]}" if len(details) > 2 else name)
            finally:
                is_acting = False

        return note

    listeners = {name: listener(name) for name in _EVENTS}
    for name, one in listeners.items():
        sa.event.listen(sa.Engine, name, one)
    try:
        yield
    finally:
        for name, one in listeners.items():
            sa.event.remove(sa.Engine, name, one)
