"""Whether a SQLite file that is open is still the one at its path: others may remove or replace it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import sqlalchemy as sa

from tap_crm.storage.database import BESIDE

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

#: The device and the number of a file; None if there is none.
Mark: TypeAlias = "tuple[int, int] | None"
_MARK = "tap_crm_file"


class OpenFile:
    """A file that connections of an engine read.

    The number of a file is not given to another one as long as a connection has it open.

    Args:
        path: of the file.
        engine: its connections; none of them makes the file.

    Attributes:
        was_open: whether a file was noted before.

    Raises:
        OSError: by any method: nobody can tell, since its folder may not be read.
    """

    def __init__(self, path: Path, engine: sa.Engine) -> None:
        self.path = path
        self._noted: Mark = None
        self.was_open = False
        self._beside: dict[Path, Mark] = {}

        @sa.event.listens_for(engine, "do_connect")
        def before(_: sa.Dialect, entry: ConnectionPoolEntry, *__: Any) -> None:  # noqa: ANN401 - what a driver takes
            entry.info[_MARK] = _mark(path)

        @sa.event.listens_for(engine, "connect")
        def after(_: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
            if entry.info[_MARK] != _mark(path):  # replaced meanwhile: which one it has, nobody knows
                entry.info[_MARK] = None

    def is_read_by(self, connection: sa.Connection) -> bool:
        """Tell whether a connection reads the file that is at the path now."""
        mark = connection.info.get(_MARK)
        return mark is not None and mark == _mark(self.path)

    def is_there(self) -> bool:
        """Tell whether the file that was noted is at the path now."""
        return self._noted is not None and self._noted == _mark(self.path)

    def note(self, connection: sa.Connection) -> None:
        """Note that the file of a connection is the one that is used."""
        self.was_open = True
        self._noted = connection.info.get(_MARK)
        self._beside = {path: _mark(path) for path in (Path(f"{self.path}{end}") for end in BESIDE)}

    def forget(self) -> None:
        """Forget the one that was noted."""
        self._noted = None

    def remove_remains(self) -> None:
        """Remove what SQLite kept beside the file that was noted: beside another one it would be taken for its own."""
        for path, mark in self._beside.items():
            if mark is not None and mark == _mark(path):
                path.unlink(missing_ok=True)


def _mark(path: Path) -> Mark:
    with suppress(FileNotFoundError, NotADirectoryError):
        found = path.stat()
        return found.st_dev, found.st_ino
    return None
