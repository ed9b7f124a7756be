"""Changes of all records that are no rows: of boards, members, channels, documents, bookings, comments and so on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.copera.moments import DAY, object_id, text_of
from sandbox.copera.nodes import beneath
from sandbox.copera.samples.bookings import booking, booking_type
from sandbox.copera.samples.channels import channel
from sandbox.copera.samples.comments import comment
from sandbox.copera.samples.documents import content, document
from sandbox.copera.samples.drive_files import drive_file
from sandbox.copera.samples.members import member, team
from sandbox.copera.samples.notifications import notification

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.copera.records import WorkspaceRecords
    from sandbox.copera.row_changes import RowEditor
    from sandbox.exchange import Record

_TEXTS = ("name", "title", "content", "bookingTypeTitle", "type")
FIRST = ("channels", "members", "teams")
"""Lists in which new records come first, so that offsets shift."""


class ListEditor:
    """Edits, makes and deletes records of the lists; called with the workspace locked."""

    def __init__(self, records: WorkspaceRecords, rows: RowEditor) -> None:
        self.records = records
        self.rows = rows
        self.made = 1_000

    def carry_out(self, verb: str, name: str, order: Record) -> list[str]:
        """Do what is ordered; KeyError for an unknown id, ValueError for a list that has no such verb."""
        if verb not in ("edit", "create", "delete") or (name == "boards" and verb == "create"):
            raise ValueError(f"{name} have no {verb}")
        changes = order.get("changes")
        if verb == "create":
            return [self.create(name, changes or {}) for _ in range(order.get("count", 1))]
        chosen = self._chosen(name, order)
        for one in chosen:
            if verb == "edit":
                self.edit(name, one, changes)
            else:
                self.delete(name, one)
        return chosen

    def edit(self, name: str, number: str, changes: Record | None) -> None:
        """Change a record; its `updatedAt`, if it has one, becomes now."""
        self.made += 1
        record = self._comment(number)[1] if name == "comments" else self.records.lists[name][number]
        if changes is None:
            key = next(one for one in _TEXTS if one in record)
            changes = {key: f"{str(record[key]).partition(' (edit')[0]} (edit {self.made})"}
        if "updatedAt" in record:
            record["updatedAt"] = text_of(self.records.now())
        before = dict(record)
        record |= changes
        if name == "bookings" and self.records.booking_webhooks:
            self.records.booking_webhooks.changed(before, record)

    def create(self, name: str, changes: Record) -> str:
        """Add a record made now; `row` names the row of a comment."""
        self.made += 1
        records, now, n = self.records, self.records.now(), self.made
        if name == "comments":
            return self._create_comment(dict(changes))
        record = self._made(name, n, now) | changes
        key = record["uid" if name == "bookings" else "_id"]
        found = records.lists[name]
        records.lists[name] = {key: record} | found if name in FIRST else found | {key: record}
        if name == "bookings" and records.booking_webhooks:
            records.booking_webhooks.changed(None, record)
        if name == "documents":
            records.contents[key] = content(n, record["title"], records.rng)
        return str(key)

    def delete(self, name: str, number: str) -> None:
        """Delete a record; a board with its tables, a node with all beneath it."""
        records = self.records
        if name == "comments":
            row_id, record = self._comment(number)
            records.comments[row_id].remove(record)
            return
        if name in ("documents", "drive_files"):
            for one in beneath(records.lists[name], number):
                del records.lists[name][one]
                records.contents.pop(one, None)
            return
        del records.lists[name][number]
        if name == "boards":
            for table in [one for one in records.tables.values() if one.board == number]:
                self.rows.drop_table(table.id)

    def _made(self, name: str, n: int, now: int) -> Record:
        records, rng = self.records, self.records.rng
        members, changed = list(records.lists["members"]), {"updatedAt": text_of(now)}
        kinds = list(records.lists["booking_types"].values())
        make: dict[str, Callable[[], Record]] = {
            "members": lambda: member(n, now, rng),
            "teams": lambda: team(n, now, members, rng) | changed,
            "channels": lambda: channel(n, now, members, list(records.lists["teams"]), rng) | changed,
            "documents": lambda: document(n, now, now, members[0], rng),
            "drive_files": lambda: drive_file(n, now, now, members[0], rng),
            "booking_types": lambda: booking_type(n, now, rng),
            "bookings": lambda: booking(n, now + n % 9 * DAY, kinds, members, rng),
            "notifications": lambda: notification(n, now, members[0], records.workspace["_id"], rng),
        }
        return make[name]()

    def _create_comment(self, changes: Record) -> str:
        records = self.records
        row_id = changes.pop("row", None) or records.rng.choice(list(records.rows))
        row, now = records.rows[row_id], records.now()
        author = next(iter(records.lists["members"].values()))
        record = comment(self.made, now, author, records.rng)
        record |= {"_id": object_id(now, records.rng), "updatedAt": text_of(now)} | changes
        records.comments.setdefault(row_id, []).append(record)
        if records.behaviour.markdown_moves_row:
            self.rows.touch(row)
        return str(record["_id"])

    def _comment(self, number: str) -> tuple[str, Record]:
        for row_id, found in self.records.comments.items():
            for one in found:
                if one["_id"] == number:
                    return row_id, one
        raise KeyError(f"comments {number}")

    def _chosen(self, name: str, order: Record) -> list[str]:
        records, ids = self.records, order.get("ids")
        living = [str(one) for one in records.ids(name)]
        if ids is None:
            return records.rng.sample(living, min(order.get("count", 1), len(living)))
        for one in ids:
            if one not in living:
                raise KeyError(f"{name} {one}")
        return list(ids)
