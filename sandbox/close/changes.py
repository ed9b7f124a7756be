"""Changes of a world, with the dates and events that Close writes for them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from sandbox.close.events import News
from sandbox.close.field_values import FieldValues
from sandbox.close.generate import make, row_of
from sandbox.close.kinds import ACTIVITY_NAMES, event_type, shown
from sandbox.close.moments import bare, text_of
from sandbox.exchange import Record

if TYPE_CHECKING:
    from sandbox.close.table import Row
    from sandbox.close.world import CloseWorld

CHILDREN = ("contacts", "opportunities", "tasks", *ACTIVITY_NAMES)
_LISTED_CHILDREN = ("custom_objects", "sequence_subscriptions", "comment_threads", "comments")
_TEXTS = (
    *("name", "note", "text", "subject", "title", "label", "body", "reason", "url", "first_name", "sender_name"),
    *("user_phone", "email", "source"),
)
_DATES = ("date_updated", "updated_at")


class Editor:
    """Edits, makes, deletes and merges records; called with the world locked."""

    def __init__(self, world: CloseWorld) -> None:
        self.world = world
        self.values = FieldValues(world)
        self.edits = 0

    def chosen(self, name: str, count: int, ids: list[str] | None) -> list[str]:
        """Check the ids, or draw some; KeyError if one does not live."""
        world = self.world
        if ids is None:
            if name in world.tables:
                return world.tables[name].sample(world.rng, count)
            ids = [str(number) for number in world.ids(name)]
            return world.rng.sample(ids, min(count, len(ids)))
        living = set(world.ids(name))
        for number in ids:
            if number not in living:
                raise KeyError(f"{name} {number}")
        return list(ids)

    def edit(self, name: str, number: str, changes: Record | None) -> str:
        """Change one record; `date_updated` becomes now unless `changes` says otherwise."""
        self.edits += 1
        old = self.current(name, number)
        if changes is None:
            changes = self._another_text(old)
        if "display_name" in old and "name" in changes:
            changes = {"display_name": changes["name"] or "Untitled"} | changes
        new = self._dated(old) | changes
        for key in [key for key, value in new.items() if value is None and key.startswith("custom.")]:
            del new[key]
        action = "completed" if new.get("is_complete") and not old["is_complete"] else "updated"
        self.put(name, new)
        self.tell(name, action, new, old)
        if name in ("contacts", "opportunities"):
            self._raise_lead(new["lead_id"])
        if name == "custom_fields":
            self.values.definitions_changed()
        return number

    def _another_text(self, old: Record) -> Record:
        """Choose a change that shows: a text, else who changed it last, else nothing but the date."""
        for key in _TEXTS:
            if key in old:
                text = str(old[key] or "").partition(" (edit")[0]
                return {key: f"{text} (edit {self.edits})"}
        if "updated_by" not in old:
            return {}
        others = [number for number in self.world.source.user_ids if number != old["updated_by"]]
        return {"updated_by": self.world.rng.choice(others or [None])}

    def create(self, name: str, changes: Record, dated: float | None) -> str:
        """Add one record."""
        now = self.world.now()
        created = now if dated is None else int(dated * 1_000) * 1_000
        make_one = self._made if name in self.world.tables else self._copied
        record = make_one(name, created, now) | changes
        self.put(name, record)
        self.tell(name, "created", record, None)
        if name in ("contacts", "opportunities"):
            self._raise_lead(record["lead_id"])
        if name == "contacts":
            self._contact_list_changed(record["lead_id"], [record["id"]], [])
        if name == "custom_fields":
            self.values.definitions_changed()
        return str(record.get("id", record.get("email")))

    def delete(self, name: str, number: str, meta: Record | None = None) -> None:
        """Delete one record, with all that belongs to it."""
        record = self.current(name, number)
        if name == "comments" and any(one["id"] == record["thread_id"] for one in self.world.lists["comment_threads"]):
            self._withdraw(record)
            return
        if name == "leads":
            record |= self._contact_ids(number)
        self._remove(name, number)
        self.tell(name, "deleted", None, record, meta or {})
        if name == "leads":
            self._delete_children(number, meta)
        elif name == "comment_threads":
            for one in [one for one in self.world.lists["comments"] if one["thread_id"] == number]:
                self.delete("comments", one["id"], meta)
        elif name == "contacts":
            self._contact_list_changed(record["lead_id"], [], [number])
            self._raise_lead(record["lead_id"])
        elif name == "custom_fields":
            self.values.change(record, lambda _: None)
            self.values.definitions_changed()

    def merge(self, source: str, destination: str) -> None:
        """Move all of a lead into another one; the first disappears."""
        world = self.world
        meta = {"merge_source_lead_id": source, "merge_destination_lead_id": destination}
        old = self.current("leads", source) | self._contact_ids(source)
        kept = self.current("leads", destination) | self._contact_ids(destination)
        for row in world.tables["created_activities"].of_lead(source):
            self.delete("created_activities", row.id, meta)
        for name in CHILDREN:
            for row in world.tables[name].of_lead(source):
                self._move(name, row, destination, meta)
        for name in _LISTED_CHILDREN:
            for one in [one for one in world.lists[name] if one["lead_id"] == source]:
                before, after = dict(one), self._dated(one) | {"lead_id": destination}
                self.put(name, after)
                self.tell(name, "updated", after, before, meta)
        self._remove("leads", source)
        if world.behaviour.merge_deletes_source:
            self.tell("leads", "deleted", None, old, meta)
        merged = self._dated(self.current("leads", destination))
        self.put("leads", merged)
        self.tell("leads", "merged", merged | self._contact_ids(destination), kept, meta)
        self._note_merge(old, merged, meta)

    def _delete_children(self, lead_id: str, meta: Record | None) -> None:
        for child in CHILDREN:
            for row in self.world.tables[child].of_lead(lead_id):
                self.delete(child, row.id, meta)
        for child in _LISTED_CHILDREN:
            for one in [one for one in self.world.lists[child] if one["lead_id"] == lead_id]:
                if one["id"] in self.world.ids(child):
                    self.delete(child, one["id"], meta)

    def _move(self, name: str, row: Row, lead_id: str, meta: Record) -> None:
        before = msgspec.json.decode(row.raw)
        after = self._dated(before) | {"lead_id": lead_id}
        self.put(name, after)
        self.tell(name, "updated", after, before, meta)

    def _note_merge(self, old: Record, new: Record, meta: Record) -> None:
        now = self.world.now()
        record = self._made("lead_merges", now, now) | {
            "lead_id": new["id"],
            "contact_id": None,
            "source_lead_id": old["id"],
            "destination_lead_id": new["id"],
            "source_display_name": old["display_name"],
            "destination_display_name": new["display_name"],
            "merge_status": "completed",
        }
        self.put("lead_merges", record)
        self.tell("lead_merges", "created", record, None, meta)

    def current(self, name: str, number: str) -> Record:
        """Copy a living record, without what is nested in it."""
        tables = self.world.tables
        if name in tables:
            record: Record = msgspec.json.decode(tables[name].living[number].raw)
            return record
        key = "email" if name == "unsubscribed_emails" else "id"
        return dict(next(one for one in self.world.lists[name] if one[key] == number))

    def _dated(self, record: Record) -> Record:
        """Copy a record, changed now, in the form of time that it has."""
        now = self.world.now()
        new = dict(record)
        for key in _DATES:
            if key in new:
                zone = new[key].endswith("+00:00")
                new[key] = text_of(now) if zone else bare(now)
        return new

    def _made(self, name: str, created: int, updated: int) -> Record:
        """Make a record of a table that hangs on a living lead."""
        world, source = self.world, self.world.source
        number = source.long("acti" if name in ACTIVITY_NAMES else name[:4])
        record = make(source, name, number, created, updated)
        record = msgspec.json.decode(msgspec.json.encode(record), type=Record)
        if name != "leads":
            (lead_id,) = world.tables["leads"].sample(world.rng, 1) or ("",)
            contacts = world.tables["contacts"].of_lead(lead_id) if lead_id else []
            record["lead_id"] = lead_id or None
            if "contact_id" in record:
                record["contact_id"] = contacts[0].id if contacts else None
        if "activity_at" in record:
            record["activity_at"] = text_of(created)
        return record

    def _copied(self, name: str, created: int, updated: int) -> Record:
        """Make a record of a small list after the pattern of one that is there."""
        world = self.world
        self.edits += 1
        pattern = world.rng.choice(world.lists[name]) if world.lists[name] else {"id": "new_0"}
        record = msgspec.json.decode(msgspec.json.encode(pattern), type=Record)
        for key, moment in (("created", created), ("updated", updated)):
            for form in (f"date_{key}", f"{key}_at"):
                if form in record:
                    record[form] = text_of(moment) if str(record[form]).endswith("+00:00") else bare(moment)
        if "id" in record:
            prefix, _, rest = str(record["id"]).rpartition("_")
            long = len(rest) > 30  # noqa: PLR2004
            record["id"] = world.source.long(prefix) if long else world.source.short(prefix or "role")
        else:
            record["email"] = f"new{self.edits}@example.com"
        if "name" in record:
            record["name"] = f"New {self.edits}"
        return record

    def put(self, name: str, record: Record) -> None:
        """Keep a record, in the place of one that has its id."""
        world = self.world
        if name in world.tables:
            world.tables[name].put(row_of(record), time.monotonic(), world.behaviour.index_lag)
            return
        key = "id" if "id" in record else "email"
        for one in world.lists[name]:
            if one[key] == record[key]:
                one.clear()
                one.update(record)
                return
        world.lists[name].append(record)

    def _remove(self, name: str, number: str) -> None:
        world = self.world
        if name in world.tables:
            world.tables[name].remove(number, time.monotonic(), world.behaviour.index_lag)
            return
        key = "email" if name == "unsubscribed_emails" else "id"
        world.lists[name][:] = [one for one in world.lists[name] if one[key] != number]

    def tell(
        self, name: str, action: str, after: Record | None, before: Record | None, meta: Record | None = None
    ) -> None:
        """Write into the log what happened to a record, if the log tells of such."""
        record = after or before or {}
        kind = event_type(name, record)
        if kind is None:
            return
        number: str = record["id"] if "id" in record else record["email"]
        lead_id = number if name == "leads" else record.get("lead_id")
        after = None if after is None else shown(name, after)
        before = None if before is None else shown(name, before)
        news = News(name, action, kind, number, lead_id, after, before, meta=meta or {})
        news.user_id = record.get("updated_by") or self.world.source.user_ids[0]
        if after is not None and before is not None:
            keys = [key for key in sorted({*after, *before}) if after.get(key) != before.get(key)]
            news.changed = [key for key in keys if key not in _DATES]
            news.before = {key: before.get(key) for key in keys}
        if name == "leads" and after is not None:
            news.after = after | self._contact_ids(number)
        self.world.log.write(news, self.world.now())

    def _contact_ids(self, lead_id: str) -> Record:
        """Give the one nested field of a lead that its events have."""
        return {"contact_ids": self.world.contact_ids(lead_id)}

    def _contact_list_changed(self, lead_id: str | None, joined: list[str], left: list[str]) -> None:
        """A lead's contacts are its own field: it tells of the change."""
        lead = self.world.tables["leads"].living.get(lead_id or "")
        if lead is None:
            return
        before = msgspec.json.decode(lead.raw)
        after = self._dated(before)
        self.put("leads", after)
        present = self._contact_ids(lead.id)["contact_ids"]
        past = [number for number in present if number not in joined] + left
        self.tell("leads", "updated", after | {"contact_ids": present}, before | {"contact_ids": past})

    def _raise_lead(self, lead_id: str | None) -> None:
        lead = self.world.tables["leads"].living.get(lead_id or "")
        if lead is not None and self.world.behaviour.children_move_lead:
            self.put("leads", self._dated(msgspec.json.decode(lead.raw)))

    def _withdraw(self, comment: Record) -> None:
        """A removed comment keeps its row, empty, until its thread is gone."""
        new = self._dated(comment)
        new |= {"body": "", "removed_at": new["updated_at"], "removed_by": self.world.source.user_ids[0]}
        self.put("comments", new)
        self.tell("comments", "updated", new, comment)
