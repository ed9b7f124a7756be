"""Changes of an account's records and lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sandbox.copper.samples.opportunities import close_date
from sandbox.copper.samples.tables import MAKERS, row_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.copper.field_changes import FieldChanges
    from sandbox.copper.records import AccountRecords
    from sandbox.exchange import Record


class Editor:
    """Edits, makes, deletes and converts records; called with the account locked."""

    def __init__(self, records: AccountRecords, fields: FieldChanges) -> None:
        self.records = records
        self.fields = fields

    def edit(self, name: str, count: int, ids: Iterable[int] | None, changes: Record | None) -> list[int]:
        """Change records: fields as given, else name or details."""
        records = self.records
        chosen = self._chosen(name, count, ids)
        records.edits += 1
        with records.at_once():
            for number in chosen:
                if name in records.tables:
                    self._edit_row(name, number, changes)
                else:
                    self._listed(name, number).update(changes or {"name": f"Renamed {records.edits}"})
        return chosen

    def create(self, name: str, count: int, changes: Record) -> list[int]:
        """Add records made now, with fields as given."""
        self.records.edits += 1
        with self.records.at_once():
            return [self._create(name, changes) for _ in range(count)]

    def delete(self, name: str, count: int, ids: Iterable[int] | None) -> list[int]:
        """Delete records; activities leave a stub."""
        records = self.records
        chosen = self._chosen(name, count, ids)
        records.edits += 1
        if name not in records.tables:
            records.lists[name][:] = [one for one in records.lists[name] if one["id"] not in chosen]
            return chosen
        stubs = name == "activities" and records.behaviour.stubs_in_search
        with records.at_once():
            for number in chosen:
                stub = msgspec.json.encode({"id": number, "is_deleted": True}) if stubs else None
                records.remove(name, number, stub)
        return chosen

    def convert(self, count: int, ids: Iterable[int] | None, *, opportunity: bool) -> list[int]:
        """Convert leads to a person and maybe an opportunity."""
        records = self.records
        if ids is None:
            table = records.tables["leads"]
            candidates = table.sample(records.rng, min(len(table), count * 3 + 10))
            ids = [one for one in candidates if not records.record("leads", one)["converted_at"]][:count]
        chosen = list(ids)
        for number in chosen:
            with records.at_once("convert"):
                self._convert(number, opportunity=opportunity)
        return chosen

    def _convert(self, number: int, *, opportunity: bool) -> None:
        lead = self.records.record("leads", number)
        now = int(self.records.clock())
        origin = {
            "leads_converted_from": [{"lead_id": number, "converted_timestamp": now}],
            "date_lead_created": lead["date_created"],
        }
        names = {key: lead[key] for key in ("name", "first_name", "last_name", "details", "tags")}
        changes = {"converted_at": now, "converted_contact_id": self._create("people", names | origin)}
        if opportunity:
            deal = {"name": f"Deal of {lead['name']}", "primary_contact_id": changes["converted_contact_id"]}
            changes["converted_opportunity_id"] = self._create("opportunities", deal | origin)
        if not self.records.behaviour.conversion_moves_modified:
            changes["date_modified"] = lead["date_modified"]
        self.edit("leads", 1, [number], changes)

    def _chosen(self, name: str, count: int, ids: Iterable[int] | None) -> list[int]:
        living = self.records.tables[name].living if name in self.records.tables else set(self.records.ids(name))
        if ids is None:
            if name in self.records.tables:
                return self.records.tables[name].sample(self.records.rng, count)
            return [
                one["id"]
                for one in self.records.rng.sample(self.records.lists[name], min(count, len(self.records.lists[name])))
            ]
        chosen = list(ids)
        for number in chosen:
            if number not in living:
                raise KeyError(f"{name} {number}")
        return chosen

    def _edit_row(self, name: str, number: int, changes: Record | None) -> None:
        record: Record = msgspec.json.decode(self.records.tables[name].living[number].raw)
        if "custom_fields" not in (changes or {}):
            self.fields.complete(name, record)
        if changes is None:
            text = "details" if name == "activities" else "name"
            changes = {text: f"{str(record[text] or '').partition(' (edit')[0]} (edit {self.records.edits})"}
        record.update({"date_modified": int(self.records.clock())} | changes)
        self.records.put(name, row_of(name, record))

    def _create(self, name: str, changes: Record) -> int:
        now = int(self.records.clock())
        if name not in self.records.tables:
            number: int = max((one["id"] for one in self.records.lists[name]), default=0) + 1
            self.records.lists[name].append({"id": number, "name": f"New {number}"} | changes)
            return number
        table = self.records.tables[name]
        made = MAKERS[name](self.records.source, table.last_id + self.records.source.ids[name].step, now, now)
        if name == "activities":
            made |= {"activity_date": now, "date_modified": now}
        elif name == "opportunities":
            made["close_date"] = close_date(now, dmy=self.records.shape.dmy)
        row = row_of(name, msgspec.json.decode(msgspec.json.encode(made), type=dict) | changes)
        self.records.put(name, row)
        return row.id

    def _listed(self, name: str, number: int) -> Record:
        return next(one for one in self.records.lists[name] if one["id"] == number)
