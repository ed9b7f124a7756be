"""The records of a Copera workspace, as they are at present."""

from __future__ import annotations

import time
from random import Random
from threading import RLock
from typing import TYPE_CHECKING

import msgspec

from sandbox.copera.behaviour import Behaviour
from sandbox.copera.cell_forms import reshaped
from sandbox.copera.moments import DAY, SECOND, text_of
from sandbox.copera.samples.boards import boards
from sandbox.copera.samples.bookings import booking, booking_type, start_of
from sandbox.copera.samples.cells import texts
from sandbox.copera.samples.channels import channel
from sandbox.copera.samples.comments import comment
from sandbox.copera.samples.documents import content, document
from sandbox.copera.samples.drive_files import drive_file
from sandbox.copera.samples.members import member, team
from sandbox.copera.samples.notifications import notification
from sandbox.copera.samples.rows import fill
from sandbox.copera.samples.trees import tree
from sandbox.copera.samples.workspace import workspace
from sandbox.copera.shape import Shape, stamps

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.copera.booking_webhooks import BookingWebhooks
    from sandbox.copera.schema import BoardTable, Row
    from sandbox.exchange import Record

_decode = msgspec.json.Decoder(dict).decode

DERIVED_NAMES = ("workspace", "tables", "columns", "rows", "comments", "document_contents")
TEXT_NAMES = ("row_descriptions", "rich_text_cells")


class WorkspaceRecords:
    """A workspace's boards and lists. Every method may be called from any thread."""

    def __init__(self, shape: Shape | None = None, behaviour: Behaviour | None = None) -> None:
        self.shape = shape or Shape()
        self.behaviour = behaviour or Behaviour()
        self.lock = RLock()
        self.clock: Callable[[], float] = time.time
        self.booking_webhooks: BookingWebhooks | None = None
        """What tells of bookings; nobody does where nothing is served."""
        rng = Random(self.shape.seed)
        self.rng = Random(self.shape.seed + 1)
        self.workspace = workspace(self.shape, rng)
        self.lists: dict[str, dict[str, Record]] = {}
        self._add_people(rng)
        members = list(self.lists["members"])
        made, tables = boards(self.shape, rng)
        self.lists["boards"] = {one["_id"]: _board(one) for one in made}
        self.tables: dict[str, BoardTable] = {one.id: one for one in tables}
        self.rows, self.linkers = fill(tables, self.shape, members, rng)
        self.previews = texts()
        self.texts: dict[tuple[str, str], str] = {}
        """Markdown that was edited, by row and column; the row's own description has no column."""
        self.contents: dict[str, str] = {}
        """Markdown of documents."""
        self.texts_before_edit: dict[tuple[str, ...], tuple[float, str]] = {}
        """Texts as they were before an edit, by their keys, with the moment until which they show."""
        self.before_write: dict[str, tuple[float, bytes]] = {}
        """Rows as they were before a write that searches do not show yet (nothing for a new one), and until when."""
        self._add_lists(rng)
        self.comments: dict[str, list[Record]] = {}
        self._add_comments(rng)

    def now(self) -> int:
        """Read the clock in milliseconds."""
        return int(self.clock() * SECOND)

    def objects(self) -> list[str]:
        """Names of everything that `records` knows."""
        tables = [f"rows:{number}" for number in self.tables]
        return [*self.lists, *DERIVED_NAMES, *TEXT_NAMES, *tables]

    def ids(self, name: str) -> list[int | str]:
        """Ids of an object's living records; bookings by `uid`, columns by `columnId`, texts by row and column."""
        with self.lock:
            if name in self.lists:
                return list(self.lists[name])
            if name == "tables":
                return list(self.tables)
            if name == "rows":
                return [row_id for table in self.tables.values() for row_id in table.rows]
            if name.startswith("rows:"):
                return list(self.tables[name[5:]].rows)
            return [_key(name, one) for one in self.records(name)]

    def records(self, name: str) -> list[Record]:
        """The living records of an object as its own endpoint would give them, parents added where it has none."""
        with self.lock:
            if name in self.lists:
                copied: list[Record] = msgspec.json.decode(msgspec.json.encode(list(self.lists[name].values())))
                return copied
            if name.startswith("rows:"):
                return [self.record(row) for row in self.tables[name[5:]].rows.values()]
            return list(self._derived(name))

    def record(self, row: Row) -> Record:
        """Decode a row, in the form that the knobs ask for."""
        return self.in_form(self.plain_record(row))

    def plain_record(self, row: Row) -> Record:
        """Decode a row as it is kept."""
        record: Record = _decode(row.raw + row.tail)
        return record

    def searched_record(self, row: Row) -> Record | None:
        """Decode a row as searches and filters know it; None while they know nothing of it."""
        until, before = self.before_write.get(row.id, (0.0, b""))
        if self.clock() >= until:
            return self.plain_record(row)
        return _decode(before) if before else None

    def in_form(self, record: Record) -> Record:
        """Put a decoded row into the form that the knobs ask for."""
        return reshaped(record, self.tables[record["table"]], self.behaviour)

    def table_of(self, row: Row) -> BoardTable:
        """Find the table of a row by the id in its JSON."""
        start = row.raw.index(b'"table":"') + 9
        return self.tables[row.raw[start : start + 24].decode()]

    def table_named(self, named: str) -> BoardTable:
        """Find a table by id, or by a name that only one has; KeyError if that is not one."""
        found = [self.tables[named]] if named in self.tables else []
        found = found or [one for one in self.tables.values() if one.name == named]
        if len(found) != 1:
            raise KeyError(f"table {named}")
        return found[0]

    def description(self, row: Row) -> str:
        """The markdown of a row's own description."""
        found = self.texts.get((row.id, ""))
        if found is None:
            described = b'"description":"' in row.raw
            found = str(self.plain_record(row).get("description", "")) if described else ""
        return self.shown_text((row.id, ""), found)

    def rich_text(self, row: Row, column: str) -> str:
        """The markdown of a cell; empty if it has none."""
        return self._text_of(self.plain_record(row)["columns"], row.id, column)

    def content(self, document: str) -> str:
        """The markdown of a document."""
        return self.shown_text((document,), self.contents[document])

    def shown_text(self, key: tuple[str, ...], text: str) -> str:
        """Give a text, or what it was before, as long as the edit does not show."""
        until, before = self.texts_before_edit.get(key, (0.0, ""))
        return before if self.clock() < until else text

    def _derived(self, name: str) -> list[Record]:
        if name in TEXT_NAMES:
            return self._row_texts(name)
        tables = self.tables.values()
        made: dict[str, Callable[[], list[Record]]] = {
            "workspace": lambda: [dict(self.workspace)],
            "tables": lambda: [one.shown() for one in tables],
            "columns": lambda: [c.shown() | {"board": t.board, "table": t.id} for t in tables for c in t.columns],
            "rows": lambda: [self.record(row) for one in tables for row in one.rows.values()],
            "comments": lambda: [one | self._place(row_id) for row_id, some in self.comments.items() for one in some],
            "document_contents": lambda: [{"_id": one, "content": self.content(one)} for one in self.contents],
        }
        return made[name]()

    def _row_texts(self, name: str) -> list[Record]:
        rich = name == "rich_text_cells"
        found: list[Record] = []
        for table in self.tables.values():
            columns = [one.id for one in table.columns if one.type == "DESCRIPTION"]
            for row in table.rows.values() if columns or not rich else ():
                place: Record = {"row": row.id, "table": table.id, "board": table.board}
                if not rich:
                    if text := self.description(row):
                        found.append(place | {"content": text})
                    continue
                cells = self.plain_record(row)["columns"]
                texts = ((one, self._text_of(cells, row.id, one)) for one in columns)
                found += [place | {"columnId": one, "content": text} for one, text in texts if text]
        return found

    def _text_of(self, cells: list[Record], row_id: str, column: str) -> str:
        found = self.texts.get((row_id, column))
        if found is None:
            value = next((one.get("value") for one in cells if one["columnId"] == column), None)
            found = self.previews.get(value, value) if isinstance(value, str) else ""
        return self.shown_text((row_id, column), found)

    def _place(self, row_id: str) -> Record:
        table = self.table_of(self.rows[row_id])
        return {"row": row_id, "table": table.id, "board": table.board}

    def _add_people(self, rng: Random) -> None:
        shape, start = self.shape, (self.shape.now - 4 * 365 * 86_400) * SECOND
        members = [member(n, start + n * 5 * DAY + n, rng) for n in range(max(shape.members, 1))]
        self.lists["members"] = _by_id(members)
        ids = [one["_id"] for one in members]
        self.lists["teams"] = _by_id([team(n, start + n * DAY, ids, rng) for n in range(shape.teams)])
        teams = list(self.lists["teams"])
        made = [channel(n, start + n * DAY // 2 + n, ids, teams, rng) for n in range(shape.channels)]
        self.lists["channels"] = _by_id(made)

    def _add_lists(self, rng: Random) -> None:
        shape, members = self.shape, list(self.lists["members"])
        place = (shape, rng)
        documents = tree(shape.documents, shape.document_roots, document, members, place)
        self.lists["documents"] = _by_id(documents)
        self.contents = {one["_id"]: content(n, one["title"], rng) for n, one in enumerate(documents)}
        self.lists["drive_files"] = _by_id(tree(shape.drive_files, 0, drive_file, members, place))
        old = (shape.now - 700 * 86_400) * SECOND
        kinds = [booking_type(n, old + n * DAY, rng) for n in range(max(shape.booking_types, 1))]
        self.lists["booking_types"] = _by_id(kinds)
        starts = [start_of(n, shape, rng) for n in range(shape.bookings)]
        booked = [booking(n, start, kinds, members, rng) for n, start in enumerate(starts)]
        self.lists["bookings"] = {one["uid"]: one for one in booked}
        moments = [updated for _, updated in stamps(shape.notifications, shape, rng)]
        workspace = self.workspace["_id"]
        notified = [notification(n, at, members[0], workspace, rng) for n, at in enumerate(sorted(moments))]
        self.lists["notifications"] = _by_id(notified)

    def _add_comments(self, rng: Random) -> None:
        rows, members = list(self.rows), list(self.lists["members"].values())
        for n in range(self.shape.comments if rows else 0):
            row_id = rows[int(rng.random() ** (1 if n % 2 else 12) * len(rows))]
            moment = int(row_id[:8], 16) * SECOND + int(rng.random() * 90 * DAY)
            made = comment(n, moment, rng.choice(members), rng)
            self.comments.setdefault(row_id, []).append(made)
        for found in self.comments.values():
            found.sort(key=lambda one: one["_id"])


def _board(made: Record) -> Record:
    shown = {key: value for key, value in made.items() if key not in ("created", "updated")}
    return shown | {"createdAt": text_of(made["created"]), "updatedAt": text_of(made["updated"])}


def _by_id(made: list[Record]) -> dict[str, Record]:
    return {one["_id"]: one for one in made}


def _key(name: str, record: Record) -> str:
    if name == "rich_text_cells":
        return f"{record['row']}/{record['columnId']}"
    return str(record[{"columns": "columnId", "row_descriptions": "row"}.get(name, "_id")])
