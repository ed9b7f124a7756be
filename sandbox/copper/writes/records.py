"""Creates, changes and deletes records of the searchable objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from sandbox.copper.custom_fields import SINGULAR
from sandbox.copper.samples.tables import row_of
from sandbox.copper.writes import custom_values
from sandbox.copper.writes.attributes import WRITABLE, blank
from sandbox.copper.writes.derived import derive
from sandbox.copper.writes.unique_values import UniqueValues, values_of
from sandbox.copper.writes.values import FieldError

if TYPE_CHECKING:
    from sandbox.copper.account import CopperAccount
    from sandbox.exchange import Record

_CUSTOM = "custom_fields"
_UNIQUE = {"people": "emails", "companies": "email_domain"}


class RecordWriter:
    """Writes to an account's records as the API does; called with the account locked.

    What is written is given back as the record is afterwards. With `carried` False nothing is kept of it.
    """

    def __init__(self, account: CopperAccount) -> None:
        self.account = account
        self.unique = {name: UniqueValues(name, account.tables[name]) for name in _UNIQUE}

    def create(self, name: str, body: Record, *, carried: bool = True) -> Record:
        """Make a record of the attributes given; FieldError for one that is not taken."""
        account = self.account
        record = blank(name)
        if name in SINGULAR:
            record[_CUSTOM] = custom_values.blank(account, name)
        given = self._given(name, body)
        if name == "people":
            self._company_by_name(given, carried=carried)
        self._apply(name, record, given, body)
        derive(account, name, record, given, None)
        self._check(name, record, set(record))
        table, now = account.tables[name], int(account.clock())
        number = table.last_id + account.source.ids[name].step
        record = {"id": number} | record | {"date_created": now, "date_modified": now}
        self._unique(name, record)
        if carried:
            self.keep(name, record)
        return record

    def update(self, name: str, number: int, body: Record, *, carried: bool = True) -> Record:
        """Change the attributes given, and no others; FieldError for one that is not taken."""
        account = self.account
        before = self.record(name, number)
        if name == "activities" and before["type"]["category"] != "user":
            raise FieldError("type", "activities of the system are read-only")
        given = self._given(name, body)
        if name == "people":
            self._company_of_person(before, given)
        record = dict(before)
        self._apply(name, record, given, body)
        derive(account, name, record, given, before)
        self._check(name, record, set(given))
        self._unique(name, record)
        if record != before or (given and account.behaviour.unchanged_moves_modified):
            record["date_modified"] = int(account.clock())
        if carried and record != before:
            self.keep(name, record)
        return record

    def delete(self, name: str, number: int, *, carried: bool = True) -> Record:
        """Delete a record; activities leave a stub."""
        if name == "activities" and self.record(name, number)["type"]["category"] != "user":
            raise FieldError("type", "activities of the system are read-only")
        if carried:
            self.account.delete(name, ids=[number])
        return {"id": number, "is_deleted": True}

    def record(self, name: str, number: int) -> Record:
        """One record as it is kept."""
        return msgspec.json.decode(self.account.tables[name].living[number].raw, type=dict)

    def keep(self, name: str, record: Record, *, quiet: bool = False) -> None:
        """Keep a record as it is given; a `quiet` change is none that subscribers are told of."""
        self.account.edits += 1
        self.account.put(name, row_of(name, record), quiet=quiet)

    def _given(self, name: str, body: Record) -> Record:
        """Check every value; give those that can be written, custom fields as they came."""
        given: Record = {}
        for attribute, value in body.items():
            if attribute == _CUSTOM and name in SINGULAR:
                given[attribute] = value
            elif check := WRITABLE[name].get(attribute):
                given[attribute] = check(self.account, attribute, value)
            elif self.account.behaviour.unwritable == "refused":
                raise FieldError(attribute, "Unknown attribute", "unknown")
        return given

    def _apply(self, name: str, record: Record, given: Record, body: Record) -> None:
        for attribute, value in given.items():
            if attribute == _CUSTOM:
                record[_CUSTOM] = custom_values.written(self.account, name, record[_CUSTOM], value)
            elif attribute == "address" and value and body["address"] and record["address"]:
                merged = self.account.behaviour.partial_address == "merged"
                left = {part: held for part, held in record["address"].items() if part not in body["address"]}
                record[attribute] = value | left if merged else value
            else:
                record[attribute] = value

    def _check(self, name: str, record: Record, touched: set[str]) -> None:
        """Refuse a record that lacks what the account requires (field layouts)."""
        for key in self.account.behaviour.required_fields.get(name, ()):
            held: Any = record.get(key)
            attribute = key
            if key.startswith("cf_"):
                attribute = _CUSTOM
                values = {one[custom_values.KEY]: one["value"] for one in record[_CUSTOM]}
                held = values.get(int(key.removeprefix("cf_")))
            if attribute in touched and held in (None, "", []):
                raise FieldError(attribute, f"can't be blank: {key}", "blank")

    def _unique(self, name: str, record: Record) -> None:
        if name not in _UNIQUE:
            return
        for value in values_of(name, msgspec.json.encode(record)):
            if set(self.unique[name].holders(value)) - {record["id"]}:
                status = self.account.behaviour.duplicate_status
                raise FieldError(_UNIQUE[name], "has already been taken", "taken", status)

    def _company_by_name(self, given: Record, *, carried: bool) -> None:
        """Link a new person to the company that is named, which is made if there is none."""
        named = given.pop("company_name", None)
        if not named or given.get("company_id") is not None:
            return
        found = self.company_named(named)
        if found is None and carried:
            found = self.create("companies", {"name": named})["id"]
        given["company_id"] = found

    def company_named(self, named: str) -> int | None:
        """Give the company that has just this name, whatever its case."""
        needle = msgspec.json.encode(named)[1:-1].lower()
        for row in self.account.tables["companies"]:
            held = msgspec.json.decode(row.raw)["name"] if needle in row.raw.lower() else ""
            if held.casefold() == named.casefold() and self.account.sees("companies", row.id):
                return row.id
        return None

    def _company_of_person(self, before: Record, given: Record) -> None:
        for attribute in ("company_id", "company_name"):
            if attribute in given and given[attribute] != before[attribute]:
                rule = self.account.behaviour.company_of_person
                if rule == "refused":
                    raise FieldError(attribute, "is changed by related items")
                if rule == "ignored" or attribute == "company_name":
                    del given[attribute]
