"""The rows of one table: all of them in one answer, read from a file, each column a property of its own."""

from __future__ import annotations

from contextlib import ExitStack, closing, nullcontext
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from typing import IO, TYPE_CHECKING, Any

import msgspec

from tap_crm import errors
from tap_crm.messages import NewVersion, Page, Row
from tap_crm.providers.common.whole_list import ask_once
from tap_crm.providers.copera.account import ask_tables
from tap_crm.providers.copera.array_file import items_of
from tap_crm.providers.copera.columns import SELECTS, Column, columns_of, filled
from tap_crm.providers.copera.people import member_names
from tap_crm.reading.emptiness import WHOLE
from tap_crm.reading.fingerprint import Fingerprint
from tap_crm.shaping.moments import to_epoch
from tap_crm.sync.row_count import Counted, check_gone
from tap_crm.transport.question import Doubtful, Question
from tap_crm.transport.spooled import spooled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tap_crm.contract.stream import Reading
    from tap_crm.providers.common.records import Record
    from tap_crm.transport.question import Reply

_ENCODER = msgspec.json.Encoder(decimal_format="number")
#: Equal records are equal as text.
_IN_ORDER = msgspec.json.Encoder(decimal_format="number", order="deterministic")
#: Rows that are handed over at once.
ROWS_PER_PAGE = 200
#: Seconds that a large table may stay silent before its first byte.
PATIENCE = 300.0
_PLAIN = {"columnId", "value"}
_DIGEST_BYTES, _HASHED_AT_ONCE = 16, 1 << 20


def items_in(reply: Reply) -> Iterator[Any]:
    """Yield the items of an answer that is a JSON array, read to its very end with flat memory.

    Raises:
        Doubtful: it is no array, or cut, or broken; perhaps after having yielded some.
    """
    if reply.file is None:
        raise Doubtful("the answer is empty")
    yield from items_of(reply.file)


@dataclass(slots=True)
class RowShaper:
    """Makes records of a table's rows.

    Attributes:
        columns: by id.
        names: of users, by their ids.
        form: the setting ``custom_fields``: ``columns``, ``raw`` or ``both``.
        learn: reads the table's columns anew: they may have changed since the run began.
        learned: that was done.
        changed: columns were otherwise then; what was made of rows before was made by the old ones.
    """

    columns: Mapping[str, Column]
    names: Mapping[str, str | None]
    form: str
    learn: Callable[[], Mapping[str, Column]]
    learned: bool = False
    changed: bool = False
    unknown_options: set[str] = field(default_factory=set)
    _empty: Record = field(default_factory=dict)
    _plain: dict[str, str] = field(default_factory=dict)
    _single: dict[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Know what a row without any cell has, and the columns of plain values and of single options."""
        self._empty = {}
        self._plain = {key: column.name for key, column in self.columns.items() if column.is_plain}
        self._single = {
            key: (column.name, column.options)
            for key, column in self.columns.items()
            if column.kind in SELECTS and column.kind != "LABELS" and self.form != "both"
        }
        for column in self.columns.values():
            self._empty.update(column.read({}, self.names.get, with_ids=self.form == "both"))

    def record(self, row: Any) -> Record:  # noqa: ANN401 - any JSON
        """Return a row as the stream's schema has it; columns that the schema does not know go to ``_extra``.

        Raises:
            Doubtful: it is no row.
        """
        cells = row.get("columns") if isinstance(row, dict) else None
        if cells is None or not isinstance(row.get("_id"), str) or not isinstance(cells, list):
            raise Doubtful("a row has no _id, or no columns")
        record = {name: value for name, value in row.items() if name != "columns"}
        if self.form in ("raw", "both"):
            record["columns"] = cells
        if self.form == "raw":
            return record
        record.update(self._empty)
        for cell in cells:
            if type(cell) is dict and len(cell) == len(_PLAIN):  # most are of a plain column: no call for these
                key = cell.get("columnId")
                name = self._plain.get(key) if type(key) is str else None
                if name is not None and "value" in cell:
                    value = cell["value"]
                    record[name] = value or filled(value)
                    continue
                found = self._single.get(key) if type(key) is str else None
                value = cell.get("value")
                if found is not None and type(value) is str and value in found[1]:
                    record[found[0]] = found[1][value]
                    continue
            self._read(cell, record)
        return record

    def _read(self, cell: Any, record: Record) -> None:  # noqa: ANN401 - any JSON
        key = cell.get("columnId") if isinstance(cell, dict) else None
        if not isinstance(key, str):  # not as documented; kept, like every shape that is not known
            record.setdefault("cells_without_column", []).append(cell)
            return
        column = self.columns.get(key)
        if not self.learned and (column is None or (column.kind in SELECTS and not column.knows(cell))):
            self.learned = True
            present = {**self.columns, **self._relabelled(self.learn())}
            self.changed, self.columns = present != self.columns, present
            self.__post_init__()
            column = self.columns.get(key)
        if column is None:
            record[key] = cell["value"] if cell.keys() == _PLAIN else cell  # not in any definition: kept under its id
            return
        if column.kind in SELECTS and not column.knows(cell):
            self.unknown_options.add(column.name)
        record.update(column.read(cell, self.names.get, with_ids=self.form == "both"))
        if len(cell) > len(_PLAIN) and (unread := column.unread(cell)):
            record[key] = unread

    def _relabelled(self, fresh: Mapping[str, Column]) -> dict[str, Column]:
        """Return the present definitions of the columns that the stream's schema was made with, under its names.

        A column that it does not have stays unknown: its name may be that of another one there.
        """
        return {
            key: Column(key, self.columns[key].name, column.kind, column.label, column.options)
            for key, column in fresh.items()
            if key in self.columns
        }


@dataclass(frozen=True, slots=True)
class TableRows:
    """The stream of one table.

    Attributes:
        board, table: ids.
        columns: by id, as discovery found them.
    """

    board: str
    table: str
    columns: Mapping[str, Column]

    def read(self, reading: Reading) -> None:
        """Read the table whole; emit all rows, or those that may have changed if none is gone since the last read."""
        path = f"/board/{self.board}/table/{self.table}/rows"
        question = Question("GET", path, f"{reading.spec.name}: rows", spooled=True, patience=PATIENCE)
        shaper = RowShaper(
            self.columns,
            member_names(reading, needed=any(column.kind == "USERS" for column in self.columns.values())),
            reading.settings.custom_fields,
            lambda: self._present_columns(reading),
        )
        earlier = Fingerprint.from_state(reading.memory.fingerprint)

        def ask() -> _Examined:
            return ask_once(reading, question, lambda reply: _examined(reply, shaper, reading, earlier))

        found = ask()
        if not found.present.rows and (earlier is None or earlier.rows):
            found.close()
            found = ask()  # that everything is gone is believed if it is said twice
        elif reading.lists.is_short(found.present.rows):
            found = _fuller(found, ask)
        present = found.present
        reading.lists.note(WHOLE, present.rows)
        reading.ledger.add(windows=1, distinct=present.rows)
        reading.ledger.source_total = present.rows
        with closing(found):
            changed = None if earlier is None or reading.rewrites else present.changed_since(earlier, found.new)
            if changed is None:
                _check_gone(reading, earlier, present, found.new)
                reading.emit(NewVersion())
            for page in found.pages() if changed is None or changed.buckets else ():
                keep = (
                    None
                    if changed is None
                    else [at for at, row in enumerate(page.rows or ()) if str(row.key) in changed]
                )
                if keep is None or keep:
                    reading.emit(replace(page, keep=keep))
        reading.memory.fingerprint = present.folded().to_state()
        reading.memory.counted = present.rows
        if shaper.unknown_options:
            fields = ", ".join(sorted(shaper.unknown_options))
            reading.ledger.note(f"options that no definition knows stay as ids, in: {fields}")

    def _present_columns(self, reading: Reading) -> Mapping[str, Column]:
        """Return the table's columns as they are by now: a row may be newer than what discovery read."""
        try:
            tables = reading.once_per_run.get(("present-tables", self.board), lambda: ask_tables(reading, self.board))
        except (errors.Forbidden, errors.NotThere):
            return self.columns
        return next((columns_of(table) for table in tables if table["_id"] == self.table), self.columns)

    def probe(self, reading: Reading) -> None:
        """Ask nothing: discovery has found the table, and its only question is for all rows."""


def _check_gone(reading: Reading, earlier: Fingerprint | None, present: Fingerprint, new: list[str]) -> None:
    """Count the rows that are gone.

    Raises:
        TooManyGone: they are so many that the token may have lost a permission.
    """
    counted = reading.memory.counted if earlier is None else earlier.rows
    if counted is None:
        return
    before = Counted(counted)
    gone = before.gone(present.rows, len(new))
    check_gone(reading.spec.name, before, gone, reading.settings.max_deletions_percent)
    reading.ledger.add(deletions=gone)


def _fuller(found: _Examined, ask: Callable[[], _Examined]) -> _Examined:
    """Return the fuller one of two answers: the first lacks much that an earlier one had."""
    with ExitStack() as stack:
        stack.callback(found.close)
        again = ask()
        if again.present.rows >= found.present.rows:
            return again
        stack.pop_all()
    again.close()
    return found


@dataclass(slots=True)
class _Examined:
    """A table that was read to its end, its records kept in a file, page by page.

    Attributes:
        present: what it was like.
        new: the rows created since an earlier read.
    """

    present: Fingerprint
    new: list[str] = field(default_factory=list)
    _file: IO[bytes] = field(default_factory=spooled)
    _lengths: list[tuple[int, int]] = field(default_factory=list)

    def keep(self, records: list[Record]) -> None:
        """Keep a page: the keys of its records, and these as JSON."""
        named, body = msgspec.msgpack.encode([record["_id"] for record in records]), _ENCODER.encode(records)
        self._file.write(named)
        self._file.write(body)
        self._lengths.append((len(named), len(body)))

    def pages(self) -> Iterator[Page]:
        """Yield what was kept."""
        self._file.seek(0)
        for named, body in self._lengths:
            keys = msgspec.msgpack.decode(self._file.read(named))
            yield Page(self._file.read(body), rows=[Row(key, ()) for key in keys])

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _examined(reply: Reply, shaper: RowShaper, reading: Reading, earlier: Fingerprint | None) -> _Examined:
    """Return a table that is whole, all of it made by what its columns are now.

    An answer of the same bytes as the last one, of the same columns, is the same table, and not decoded again.
    """
    with closing(reply.file) if reply.file is not None else nullcontext():
        body = _digest(reply.file)
        if earlier is not None and not reading.rewrites and earlier.source == _source(body, reading, shaper):
            return _Examined(earlier)
        found = _examined_once(reply, shaper, reading, earlier)
        if shaper.changed:
            found.close()
            shaper.changed = False
            found = _examined_once(reply, shaper, reading, earlier)
    if not shaper.unknown_options:  # these are told in each run
        found.present.source = _source(body, reading, shaper)
    return found


def _digest(file: IO[bytes] | None) -> bytes:
    """Return a digest of all bytes of a file."""
    found = blake2b(digest_size=_DIGEST_BYTES)
    if file is not None:
        file.seek(0)
        while piece := file.read(_HASHED_AT_ONCE):
            found.update(piece)
    return found.digest()


def _source(body: bytes, reading: Reading, shaper: RowShaper) -> str:
    """Return a digest of all that records are made of: the bytes of an answer, columns, names, selection, code."""
    columns = [(key, one.name, one.kind, sorted(one.options.items())) for key, one in sorted(shaper.columns.items())]
    parts = (columns, sorted(shaper.names.items()), sorted(reading.fields), _told(reading), shaper.form, _release())
    return blake2b(body + _IN_ORDER.encode(parts), digest_size=_DIGEST_BYTES).hexdigest()


@cache
def _release() -> str:
    """Return the version of this package: another one may make other records of the same answer."""
    try:
        return version("tap-crm")
    except PackageNotFoundError:
        return ""


def _examined_once(reply: Reply, shaper: RowShaper, reading: Reading, earlier: Fingerprint | None) -> _Examined:
    found = _Examined(Fingerprint(_basis(reading, shaper), int(reply.server_time)))
    present = found.present
    with ExitStack() as stack:
        stack.callback(found.close)
        for records in _pages(reply, shaper):
            for record in records:
                present.add(record["_id"], _IN_ORDER.encode(record))
                created = _created(record)
                present.note_creation(record["_id"], created)
                if earlier is not None and earlier.may_lack(record["_id"], created):
                    found.new.append(record["_id"])
            found.keep(records)
        stack.pop_all()
    return found


def _basis(reading: Reading, shaper: RowShaper) -> str:
    """Return what the records are made by: after another selection, or another type of a column, all are new."""
    kinds = [f"{column.name}:{column.kind}" for column in shaper.columns.values() if column.name in reading.fields]
    return blake2b(" ".join(sorted([*reading.fields, *kinds, *_told(reading)])).encode(), digest_size=8).hexdigest()


def _told(reading: Reading) -> list[str]:
    """Return which columns the target is told by another name: with another catalog, their values have to go there."""
    return sorted(f"{name}={told}" for name, told in reading.told_names.get(reading.spec.name, {}).items())


def _created(record: Record) -> int:
    """Return the second of a row's creation; its id begins with it."""
    created = to_epoch(record.get("createdAt"))
    if created is not None:
        return created
    try:
        return int(str(record["_id"])[:8], 16)
    except ValueError:
        return 0


def _pages(reply: Reply, shaper: RowShaper) -> Iterator[list[Record]]:
    """Yield records of the rows, some at a time.

    Raises:
        Doubtful: something in the list is no row.
    """
    records: list[Record] = []
    for row in items_in(reply):
        records.append(shaper.record(row))
        if len(records) >= ROWS_PER_PAGE:
            yield records
            records = []
    if records:
        yield records
