"""Changes of records, with the dates and events that Close writes for them."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from sandbox.close.events import ObjectChange
from sandbox.close.field_values import FieldValues
from sandbox.close.moments import bare, text_of
from sandbox.close.object_types import ACTIVITY_NAMES, event_type, shown
from sandbox.close.samples.tables import make, row_of
from sandbox.exchange import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.close.events import Author
    from sandbox.close.records import OrganizationRecords
    from sandbox.close.table import Row

CHILDREN = ("contacts", "opportunities", "tasks", *ACTIVITY_NAMES)
_LISTED_CHILDREN = ("custom_objects", "sequence_subscriptions", "comment_threads", "comments")
_TEXTS = (
    *("name", "note", "text", "subject", "title", "label", "body", "reason", "url", "first_name", "sender_name"),
    *("user_phone", "email", "source"),
)
_DATES = ("date_updated", "updated_at")


class Editor:
    """Edits, makes, deletes and merges records; called with the organization locked."""

    def __init__(self, records: OrganizationRecords) -> None:
        self.records = records
        self.values = FieldValues(records)
        self.edits = 0
        self.author: Author | None = None

    @contextmanager
    def acting(self, author: Author) -> Iterator[None]:
        """Log the changes made within as those of one request to the API."""
        self.author = author
        try:
            yield
        finally:
            self.author = None

    def chosen(self, name: str, count: int, ids: list[str] | None) -> list[str]:
        """Check the ids, or draw some; KeyError for one that no record has."""
        records = self.records
        if ids is None:
            if name in records.tables:
                return records.tables[name].sample(records.rng, count)
            ids = [str(number) for number in records.ids(name)]
            return records.rng.sample(ids, min(count, len(ids)))
        living = set(records.ids(name))
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
        new = self.dated(old) | changes
        for key in [key for key, value in new.items() if value is None and key.startswith("custom.")]:
            del new[key]
        self.replace(name, old, new)
        return number

    def replace(self, name: str, old: Record, new: Record) -> None:
        """Keep what a record has become, with what follows of it for others."""
        action = "completed" if new.get("is_complete") and not old["is_complete"] else "updated"
        self.put(name, new)
        self.log(name, action, new, old)
        if name in ("contacts", "opportunities"):
            self._touch_lead(new["lead_id"])
        if name == "contacts" and new["lead_id"] != old["lead_id"]:
            self._contact_list_changed(new["lead_id"], [new["id"]], [])
        if name == "custom_fields":
            self.values.definitions_changed()

    def _another_text(self, old: Record) -> Record:
        """Choose a change: of a text, else of who changed it last, else of the date alone."""
        for key in _TEXTS:
            if key in old:
                text = str(old[key] or "").partition(" (edit")[0]
                return {key: f"{text} (edit {self.edits})"}
        if "updated_by" not in old:
            return {}
        others = [number for number in self.records.source.user_ids if number != old["updated_by"]]
        return {"updated_by": self.records.rng.choice(others or [None])}

    def create(self, name: str, changes: Record, dated: float | None) -> str:
        """Add one record."""
        now = self.records.now()
        created = now if dated is None else int(dated * 1_000) * 1_000
        make_one = self._made if name in self.records.tables else self._copied
        record = make_one(name, created, now) | changes
        self.add(name, record)
        return str(record.get("id", record.get("email")))

    def add(self, name: str, record: Record) -> None:
        """Keep a new record, with what follows of it for others."""
        self.put(name, record)
        self.log(name, "created", record, None)
        if name in ("contacts", "opportunities"):
            self._touch_lead(record["lead_id"])
        if name == "contacts":
            self._contact_list_changed(record["lead_id"], [record["id"]], [])
        if name == "custom_fields":
            self.values.definitions_changed()

    def delete(self, name: str, number: str, meta: Record | None = None) -> None:
        """Delete one record, with all that belongs to it."""
        record = self.current(name, number)
        if name == "comments" and any(
            one["id"] == record["thread_id"] for one in self.records.lists["comment_threads"]
        ):
            self._empty_comment(record)
            return
        if name == "leads":
            record |= self._contact_ids(number)
        self._remove(name, number)
        self.log(name, "deleted", None, record, meta or {})
        if name == "leads":
            self._delete_children(number, meta)
        elif name == "comment_threads":
            for one in [one for one in self.records.lists["comments"] if one["thread_id"] == number]:
                self.delete("comments", one["id"], meta)
        elif name == "contacts":
            self._contact_list_changed(record["lead_id"], [], [number])
            self._touch_lead(record["lead_id"])
        elif name == "custom_fields":
            self.values.change(record, lambda _: None)
            self.values.definitions_changed()

    def merge(self, source: str, destination: str) -> None:
        """Move all of a lead into another one; the first disappears."""
        records = self.records
        meta = {"merge_source_lead_id": source, "merge_destination_lead_id": destination}
        old = self.current("leads", source) | self._contact_ids(source)
        kept = self.current("leads", destination) | self._contact_ids(destination)
        for row in records.tables["created_activities"].of_lead(source):
            self.delete("created_activities", row.id, meta)
        for name in CHILDREN:
            for row in records.tables[name].of_lead(source):
                self._move(name, row, destination, meta)
        for name in _LISTED_CHILDREN:
            for one in [one for one in records.lists[name] if one["lead_id"] == source]:
                before, after = dict(one), self.dated(one) | {"lead_id": destination}
                self.put(name, after)
                self.log(name, "updated", after, before, meta)
        self._remove("leads", source)
        if records.behaviour.merge_deletes_source:
            self.log("leads", "deleted", None, old, meta)
        merged = self.dated(self.current("leads", destination))
        self.put("leads", merged)
        self.log("leads", "merged", merged | self._contact_ids(destination), kept, meta)
        self._note_merge(old, merged, meta)

    def _delete_children(self, lead_id: str, meta: Record | None) -> None:
        for child in CHILDREN:
            for row in self.records.tables[child].of_lead(lead_id):
                self.delete(child, row.id, meta)
        for child in _LISTED_CHILDREN:
            for one in [one for one in self.records.lists[child] if one["lead_id"] == lead_id]:
                if one["id"] in self.records.ids(child):
                    self.delete(child, one["id"], meta)

    def _move(self, name: str, row: Row, lead_id: str, meta: Record) -> None:
        before = msgspec.json.decode(row.raw)
        after = self.dated(before) | {"lead_id": lead_id}
        self.put(name, after)
        self.log(name, "updated", after, before, meta)

    def _note_merge(self, old: Record, new: Record, meta: Record) -> None:
        now = self.records.now()
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
        self.log("lead_merges", "created", record, None, meta)

    def current(self, name: str, number: str) -> Record:
        """Copy a living record, without what is nested in it."""
        tables = self.records.tables
        if name in tables:
            record: Record = msgspec.json.decode(tables[name].living[number].raw)
            return record
        key = "email" if name == "unsubscribed_emails" else "id"
        return dict(next(one for one in self.records.lists[name] if one[key] == number))

    def dated(self, record: Record) -> Record:
        """Copy a record with the present time as its date of change, in the form that it has."""
        now = self.records.now()
        new = dict(record)
        for key in _DATES:
            if key in new:
                zone = new[key].endswith("+00:00")
                new[key] = text_of(now) if zone else bare(now)
        return new

    def _made(self, name: str, created: int, updated: int) -> Record:
        """Make a record of a table, of a lead that exists."""
        records, source = self.records, self.records.source
        number = source.long("acti" if name in ACTIVITY_NAMES else name[:4])
        record = make(source, name, number, created, updated)
        record = msgspec.json.decode(msgspec.json.encode(record), type=Record)
        if name != "leads":
            (lead_id,) = records.tables["leads"].sample(records.rng, 1) or ("",)
            contacts = records.tables["contacts"].of_lead(lead_id) if lead_id else []
            record["lead_id"] = lead_id or None
            if "contact_id" in record:
                record["contact_id"] = contacts[0].id if contacts else None
        if "activity_at" in record:
            record["activity_at"] = text_of(created)
        return record

    def _copied(self, name: str, created: int, updated: int) -> Record:
        """Make a record of a small list, as a copy of one that is there."""
        records = self.records
        self.edits += 1
        pattern = records.rng.choice(records.lists[name]) if records.lists[name] else {"id": "new_0"}
        record = msgspec.json.decode(msgspec.json.encode(pattern), type=Record)
        for key, moment in (("created", created), ("updated", updated)):
            for form in (f"date_{key}", f"{key}_at"):
                if form in record:
                    record[form] = text_of(moment) if str(record[form]).endswith("+00:00") else bare(moment)
        if "id" in record:
            prefix, _, rest = str(record["id"]).rpartition("_")
            long = len(rest) > 30  # noqa: PLR2004
            record["id"] = records.source.long(prefix) if long else records.source.short(prefix or "role")
        else:
            record["email"] = f"new{self.edits}@example.com"
        if "name" in record:
            record["name"] = f"New {self.edits}"
        return record

    def put(self, name: str, record: Record) -> None:
        """Keep a record, in the place of one that has its id."""
        records = self.records
        if name in records.tables:
            records.tables[name].put(row_of(record), time.monotonic(), records.behaviour.index_lag)
            return
        key = "id" if "id" in record else "email"
        for one in records.lists[name]:
            if one[key] == record[key]:
                one.clear()
                one.update(record)
                return
        records.lists[name].append(record)

    def _remove(self, name: str, number: str) -> None:
        records = self.records
        if name in records.tables:
            records.tables[name].remove(number, time.monotonic(), records.behaviour.index_lag)
            return
        key = "email" if name == "unsubscribed_emails" else "id"
        records.lists[name][:] = [one for one in records.lists[name] if one[key] != number]

    def log(
        self, name: str, action: str, after: Record | None, before: Record | None, meta: Record | None = None
    ) -> None:
        """Log what happened to a record, if the event log has events of such records."""
        record = after or before or {}
        kind = event_type(name, record)
        if kind is None:
            return
        number: str = record["id"] if "id" in record else record["email"]
        lead_id = number if name == "leads" else record.get("lead_id")
        after = None if after is None else shown(name, after)
        before = None if before is None else shown(name, before)
        change = ObjectChange(name, action, kind, number, lead_id, after, before, meta=meta or {})
        change.user_id = record.get("updated_by") or self.records.source.user_ids[0]
        change.author = self.author
        if after is not None and before is not None:
            keys = [key for key in sorted({*after, *before}) if after.get(key) != before.get(key)]
            change.changed = [key for key in keys if key not in _DATES]
            change.before = {key: before.get(key) for key in keys}
        if name == "leads" and after is not None:
            change.after = after | self._contact_ids(number)
        self.records.log.write(change, self.records.now())

    def _contact_ids(self, lead_id: str) -> Record:
        """Give the one nested field of a lead that its events have."""
        return {"contact_ids": self.records.contact_ids(lead_id)}

    def _contact_list_changed(self, lead_id: str | None, joined: list[str], left: list[str]) -> None:
        """A lead's contacts are a field of the lead: log that it changed."""
        lead = self.records.tables["leads"].living.get(lead_id or "")
        if lead is None:
            return
        before = msgspec.json.decode(lead.raw)
        after = self.dated(before)
        self.put("leads", after)
        present = self._contact_ids(lead.id)["contact_ids"]
        past = [number for number in present if number not in joined] + left
        self.log("leads", "updated", after | {"contact_ids": present}, before | {"contact_ids": past})

    def _touch_lead(self, lead_id: str | None) -> None:
        lead = self.records.tables["leads"].living.get(lead_id or "")
        if lead is not None and self.records.behaviour.children_move_lead:
            self.put("leads", self.dated(msgspec.json.decode(lead.raw)))

    def _empty_comment(self, comment: Record) -> None:
        """Empty a removed comment; it stays until its thread is gone."""
        new = self.dated(comment)
        new |= {"body": "", "removed_at": new["updated_at"], "removed_by": self.records.source.user_ids[0]}
        self.put("comments", new)
        self.log("comments", "updated", new, comment)
