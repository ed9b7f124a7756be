"""Changes of everything that is no row: boards, people, channels, documents, files, bookings, comments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.copera import agenda, office, papers, texts
from sandbox.copera.moments import DAY, object_id, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.copera.world import CoperaWorld
    from sandbox.exchange import Record

_TEXTS = ("name", "title", "content", "bookingTypeTitle", "type")
FIRST = ("channels", "members", "teams")
"""Lists in which what is new stands first, so that offsets shift."""


class ListEditor:
    """Edits, makes and deletes records of the lists; called with the world locked."""

    def __init__(self, world: CoperaWorld) -> None:
        self.world = world
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
        record = self._comment(number)[1] if name == "comments" else self.world.lists[name][number]
        if changes is None:
            key = next(one for one in _TEXTS if one in record)
            changes = {key: f"{str(record[key]).partition(' (edit')[0]} (edit {self.made})"}
        if "updatedAt" in record:
            record["updatedAt"] = text_of(self.world.now())
        record |= changes

    def create(self, name: str, changes: Record) -> str:
        """Add a record made now; `row` names the row of a comment."""
        self.made += 1
        world, now, n = self.world, self.world.now(), self.made
        if name == "comments":
            return self._create_comment(dict(changes))
        record = self._made(name, n, now) | changes
        key = record["uid" if name == "bookings" else "_id"]
        found = world.lists[name]
        world.lists[name] = {key: record} | found if name in FIRST else found | {key: record}
        if name == "documents":
            world.contents[key] = papers.content(n, record["title"], world.rng)
        return str(key)

    def delete(self, name: str, number: str) -> None:
        """Delete a record; a board with its tables, a node with all beneath it."""
        world = self.world
        if name == "comments":
            row_id, record = self._comment(number)
            world.comments[row_id].remove(record)
            return
        if name in ("documents", "drive_files"):
            for one in papers.beneath(world.lists[name], number):
                del world.lists[name][one]
                world.contents.pop(one, None)
            return
        del world.lists[name][number]
        if name == "boards":
            for table in [one for one in world.tables.values() if one.board == number]:
                drop_table(world, table.id)

    def _made(self, name: str, n: int, now: int) -> Record:
        world, rng = self.world, self.world.rng
        members, changed = list(world.lists["members"]), {"updatedAt": text_of(now)}
        kinds = list(world.lists["booking_types"].values())
        make: dict[str, Callable[[], Record]] = {
            "members": lambda: office.member(n, now, rng),
            "teams": lambda: office.team(n, now, members, rng) | changed,
            "channels": lambda: office.channel(n, now, members, list(world.lists["teams"]), rng) | changed,
            "documents": lambda: papers.document(n, now, now, members[0], rng),
            "drive_files": lambda: papers.node(n, now, now, members[0], rng),
            "booking_types": lambda: agenda.booking_type(n, now, rng),
            "bookings": lambda: agenda.booking(n, now + n % 9 * DAY, kinds, members, rng),
            "notifications": lambda: agenda.notification(n, now, members[0], world.workspace["_id"], rng),
        }
        return make[name]()

    def _create_comment(self, changes: Record) -> str:
        world = self.world
        row_id = changes.pop("row", None) or world.rng.choice(list(world.rows))
        row, now = world.rows[row_id], world.now()
        author = next(iter(world.lists["members"].values()))
        record = agenda.comment(self.made, now, author, world.rng)
        record |= {"_id": object_id(now, world.rng), "updatedAt": text_of(now)} | changes
        world.comments.setdefault(row_id, []).append(record)
        if world.behaviour.markdown_moves_row:
            texts.touch(world.editor, world.table_of(row), row)
        return str(record["_id"])

    def _comment(self, number: str) -> tuple[str, Record]:
        for row_id, found in self.world.comments.items():
            for one in found:
                if one["_id"] == number:
                    return row_id, one
        raise KeyError(f"comments {number}")

    def _chosen(self, name: str, order: Record) -> list[str]:
        world, ids = self.world, order.get("ids")
        living = [str(one) for one in world.ids(name)]
        if ids is None:
            return world.rng.sample(living, min(order.get("count", 1), len(living)))
        for one in ids:
            if one not in living:
                raise KeyError(f"{name} {one}")
        return list(ids)


def drop_table(world: CoperaWorld, table_id: str) -> None:
    """Delete a table with its rows; links to it show nothing any more."""
    table = world.tables.pop(table_id)
    linkers = {other for row_id in table.rows for other in world.linkers.pop(row_id, ())}
    for row_id in table.rows:
        del world.rows[row_id]
        world.comments.pop(row_id, None)
    for other in (world.rows[one] for one in linkers if one in world.rows):
        world.editor.again(world.table_of(other), [other])
