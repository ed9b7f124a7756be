"""A strict local server of Pebble, made from its documentation: the docstring of `tests.pebble`."""

from __future__ import annotations

import hashlib
import json
import random
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sandbox.behaviour import CommonBehaviour, configure
from sandbox.exchange import Answer, Record, Refusal, Request, encoded
from sandbox.faults import first_part
from sandbox.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterable

API_KEY, SECOND_KEY = "pebble0sandbox0key0000000001", "pebble0sandbox0key0000000002"
KINDS = ("text", "number", "date", "set")
LABELS = ("Customer", "Supplier", "Größe XL", "🎂")
#: Names of custom fields, many of which readers trip over; each kind is among them.
FIELDS = ("Region", "region", "Shoe size", "Größe (m²)", "updated_at", "Fields", "顧客ランク", "Notes")
MOST = 100


def moment(second: float) -> str:
    """Return a second as Pebble writes times."""
    return f"{datetime.fromtimestamp(int(second), UTC):%Y-%m-%dT%H:%M:%SZ}"


@dataclass
class Behaviour(CommonBehaviour):
    """The knobs."""

    rate_limit: int = 600
    forbidden: list[str] = field(default_factory=list)
    """Paths that answer 403."""


class Account:
    """The data; contacts are listed by `(updated_at, id)`."""

    def __init__(self, contacts: int, fields: int, account: int, now: float | None = None) -> None:
        self.lock = threading.RLock()
        self._random = random.Random(account)
        self._now = time.time
        self.account = {"id": account, "name": "Pebble Works"}
        self.labels = [{"id": 1 + n, "name": name, "colour": "#00ff00"} for n, name in enumerate(LABELS)]
        self.fields: list[Record] = []
        self.contacts: dict[int, Record] = {}
        for number in range(fields):
            name = FIELDS[number % len(FIELDS)] + (f" {number}" if number >= len(FIELDS) else "")
            self.add_field(name, KINDS[number % len(KINDS)])
        self.create("contacts", count=contacts, at=(now or self._now()) - 90 * 86_400)

    def objects(self) -> list[str]:
        """Names of everything that `records` knows."""
        return ["account", "contacts", "labels", "custom_fields"]

    def records(self, name: str) -> list[Record]:
        """The living records, in the API's form."""
        with self.lock:
            found: dict[str, Iterable[Record]] = {
                "account": [self.account],
                "contacts": self.contacts.values(),
                "labels": self.labels,
                "custom_fields": self.fields,
            }
            copied: list[Record] = json.loads(json.dumps(list(found[name])))
            return copied

    def ids(self, name: str) -> list[int | str]:
        """Their ids."""
        return [record["key" if name == "custom_fields" else "id"] for record in self.records(name)]

    def change(self, verb: str, order: Record) -> list[int] | list[str]:
        """Carry out an order."""
        done: list[int] | list[str] = getattr(self, verb)(order.pop("object"), **order)
        return done

    def create(self, _: str, *, count: int = 1, at: float | None = None) -> list[int]:
        """Make contacts: now, or one a minute from a time on, four of which share each second."""
        with self.lock:
            first = max(self.contacts, default=0) + 1
            for number in range(first, first + count):
                second = moment(self._now() if at is None else at + (number - first) // 4 * 60)
                self.contacts[number] = {
                    "id": number,
                    "name": f"Zoë {number}",
                    "email": None if number % 3 else f"zoe{number}@example.com",
                    "score": number / 4,
                    "label_ids": [1 + number % len(LABELS)],
                    "created_at": second,
                    "updated_at": second,
                    **{one["key"]: self.value(one, number) for n, one in enumerate(self.fields) if (number + n) % 3},
                }
            return list(range(first, first + count))

    def edit(
        self, _: str, *, count: int = 1, ids: Iterable[int] | None = None, changes: Record | None = None
    ) -> list[int]:
        """Change contacts now; a change to None takes a custom field out."""
        with self.lock:
            chosen = list(ids) if ids is not None else self._random.sample(sorted(self.contacts), count)
            for number in chosen:
                edited = {**self.contacts[number], "score": self._random.random(), **(changes or {})}
                keys = {one["key"] for one in self.fields}
                edited = {name: value for name, value in edited.items() if value is not None or name not in keys}
                self.contacts[number] = {**edited, "updated_at": moment(self._now())}
            return chosen

    def delete(self, _: str, *, count: int = 1, ids: Iterable[int] | None = None) -> list[int]:
        """Delete contacts."""
        with self.lock:
            chosen = list(ids) if ids is not None else self._random.sample(sorted(self.contacts), count)
            for number in chosen:
                del self.contacts[number]
            return chosen

    def value(self, definition: Record, number: int) -> Any:  # noqa: ANN401 - any JSON
        """Return a value of a custom field."""
        values = {"text": f"text {number}", "number": number * 1.5, "date": f"2026-01-{1 + number % 28:02}"}
        return values.get(definition["kind"]) or definition["options"][: 1 + number % 2]

    def add_field(self, name: str, kind: str, *, fill: bool = False) -> str:
        """Define a custom field; with ``fill`` each contact gets a value of it, which moves no time of change."""
        with self.lock:
            key = hashlib.sha1(f"{len(self.fields)} {name} {kind}".encode()).hexdigest()  # noqa: S324 - no secret
            options = ["red", "green"] if kind == "set" else None
            self.fields.append({"key": key, "name": name, "kind": kind, "options": options})
            for number, record in self.contacts.items() if fill else ():
                record[key] = self.value(self.fields[-1], number)
            return key

    def field(self, key: str) -> Record:
        """Return a definition, to be changed in place."""
        return next(one for one in self.fields if one["key"] == key)

    def remove_field(self, key: str) -> None:
        """Take a definition away, and the values of it."""
        with self.lock:
            self.fields.remove(self.field(key))
            for record in self.contacts.values():
                record.pop(key, None)


class PebbleSandbox(Simulator):
    """Pebble's API over an account."""

    base_path = "/v1"
    account: Account
    behaviour: Behaviour

    def __init__(self, account: Account, behaviour: Behaviour) -> None:
        super().__init__(account, behaviour)
        account._now = self.now  # noqa: SLF001 - one clock for both

    def secrets(self) -> tuple[str, ...]:
        """Both keys."""
        return (API_KEY, SECOND_KEY)

    def changing(self, request: Request) -> str | None:
        """Contacts change while they are listed."""
        return "contacts" if self.is_search(request) else None

    def authorise(self, request: Request) -> None:
        """Check the key, and what it may read."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        self.count_secret(key, valid=scheme == "Bearer" and key in self.secrets(), refusal="unknown key")
        if request.path in self.behaviour.forbidden:
            raise Refusal(403, "not for this key")

    def is_search(self, request: Request) -> bool:
        """Whether a page of contacts is asked for."""
        return request.path == "contacts"

    def is_list(self, request: Request) -> bool:
        """Whether an answer may be empty."""
        return request.path in ("contacts", "labels", "contact_fields")

    def shortened(self, answer: Answer, kept: float) -> Answer:
        """Say wrongly that there is nothing, or less than there is."""
        body = json.loads(answer.body)
        return encoded(
            {name: first_part(part, kept) if isinstance(part, list) else None for name, part in body.items()}
        )

    def error_body(self, status: int, message: str) -> object:
        """The error envelope."""
        return {"error": {"status": status, "message": message}}

    def answer(self, request: Request) -> Answer:
        """Answer a GET of a known path with known parameters."""
        names = {"me": "account", "labels": "labels", "contact_fields": "custom_fields"}
        if request.method != "GET" or request.path not in (*names, "contacts"):
            raise Refusal(404, "there is no such thing")
        if request.path == "contacts":
            return self._contacts(request.query)
        if request.query:
            raise Refusal(400, f"unknown: {', '.join(request.query)}")
        records = self.account.records(names[request.path])
        if request.path == "me":
            return encoded({"me": records[0]})
        return encoded({"fields" if request.path == "contact_fields" else "labels": records})

    def _contacts(self, query: dict[str, str]) -> Answer:
        if unknown := query.keys() - {"limit", "updated_since", "cursor"}:
            raise Refusal(400, f"unknown: {', '.join(unknown)}")
        try:
            limit, since = int(query.get("limit", MOST)), int(query.get("updated_since", 0))
            after = json.loads(bytes.fromhex(query["cursor"])) if "cursor" in query else ["", 0]
        except ValueError:
            raise Refusal(400, "limit, updated_since or cursor is malformed") from None
        if not 1 <= limit <= MOST:
            raise Refusal(400, f"limit must be 1 to {MOST}")
        found = sorted(self.account.contacts.values(), key=lambda one: (one["updated_at"], one["id"]))
        found = [one for one in found if one["updated_at"] >= moment(since)]
        found = [one for one in found if [one["updated_at"], one["id"]] > after]
        page, last = found[:limit], found[limit - 1 : limit]
        goes_on = len(found) > limit
        cursor = json.dumps([last[0]["updated_at"], last[0]["id"]]).encode().hex() if goes_on else None
        return encoded({"contacts": page, "next": cursor})


def pebble_app(
    *,
    contacts: int = 20,
    fields: int = len(FIELDS),
    account: int = 7,
    now: float | None = None,
    **knobs: Any,  # noqa: ANN401 - knobs of any type
) -> PebbleSandbox:
    """Return the server of an account; of the same size at the same time it is the same account."""
    behaviour = Behaviour()
    configure(behaviour, knobs)
    return PebbleSandbox(Account(contacts, fields, account, now), behaviour)
