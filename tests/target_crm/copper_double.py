"""A small Copper in memory, behind the seam of the transport: as much as writing needs, with its faults."""

from __future__ import annotations

import itertools
import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tap_crm import errors
from tap_crm.transport.clock import ServerClock
from tap_crm.transport.question import Doubtful, Question, Reply

if TYPE_CHECKING:
    from tap_crm.ledger import Ledger

Record = dict[str, Any]
#: Says for a request that writes what goes wrong: `before` or `after` it took effect; None: nothing.
Fault = Callable[[Question, int], str | None]

OBJECTS = ("people", "companies", "leads", "opportunities", "projects", "tasks", "activities")
SINGULAR = {
    "lead": "leads",
    "person": "people",
    "company": "companies",
    "opportunity": "opportunities",
    "project": "projects",
    "task": "tasks",
}
EMPTY: dict[str, Record] = {
    "people": {"emails": [], "phone_numbers": [], "socials": [], "websites": [], "tags": [], "company_id": None},
    "companies": {"phone_numbers": [], "socials": [], "websites": [], "tags": [], "email_domain": None},
    "leads": {"email": None, "phone_numbers": [], "socials": [], "websites": [], "tags": [], "status_id": 1},
    "opportunities": {"tags": [], "status": "Open"},
    "projects": {"tags": [], "status": "Open", "related_resource": None},
    "tasks": {"tags": [], "status": "Open", "related_resource": None},
    "activities": {},
}
EXTERNAL, SIZE, COLOURS, SINCE, SCORE = 901, 902, 903, 904, 905
DEFINITIONS: list[Record] = [
    {"id": EXTERNAL, "name": "Our key", "data_type": "String", "is_filterable": True},
    {"id": SIZE, "name": "Size", "data_type": "Dropdown", "options": [{"id": 1, "name": "S"}, {"id": 2, "name": "L"}]},
    {
        "id": COLOURS,
        "name": "Colours",
        "data_type": "MultiSelect",
        "options": [{"id": 11, "name": "red"}, {"id": 12, "name": "blue"}],
    },
    {"id": SINCE, "name": "Since", "data_type": "Date"},
    {"id": SCORE, "name": "Score", "data_type": "Float"},
]
LISTS: dict[str, list[Record]] = {
    "pipelines": [{"id": 1, "name": "Sales", "stages": []}],
    "pipeline_stages": [{"id": 1, "name": "New", "pipeline_id": 1}, {"id": 2, "name": "New", "pipeline_id": 2}],
    "customer_sources": [{"id": 1, "name": "Web"}],
    "loss_reasons": [{"id": 1, "name": "Price"}],
    "lead_statuses": [{"id": 1, "name": "New"}, {"id": 2, "name": "Contacted"}],
    "contact_types": [{"id": 1, "name": "Customer"}],
    "custom_activity_types": [{"id": 1, "name": "Visit"}],
}
USERS = [{"id": 71, "name": "Ann", "email": "ann@example.com"}, {"id": 72, "name": "Bob", "email": "bob@example.com"}]


class CopperDouble:
    """What a transport is for the writer, and a CRM behind it.

    Attributes:
        fault: what goes wrong with requests that write.
        ignores: fields that the CRM takes and ignores.
        refuses: returns what is wrong with a record; None for nothing.
        lag: searches do not show what was made within so many of the last seconds.
        now: the present; waiting moves it on.
        account: the id of the account.
        asked: every request, as method and path, in their order.
        without_ids: objects whose searches take no ids.
        indexed: old versions of records that searches give, by object and id.
        dates: what dates of custom fields may be written as: `epoch`, or `text`, month first.
        forgets_custom: an update that names some custom fields empties the others.
    """

    retry_seconds = 1.0
    latency = 0.0

    def __init__(self) -> None:
        self.clock = ServerClock()
        self.account = 1
        self.tables: dict[str, dict[int, Record]] = {name: {} for name in OBJECTS}
        self.related: set[tuple[str, int, str, int]] = set()
        self.fault: Fault = lambda _question, _number: None
        self.refuses: Callable[[Record], str | None] = lambda _: None
        self.ignores: frozenset[str] = frozenset()
        self.forgets_custom = False
        self.indexed: dict[tuple[str, int], Record] = {}
        self.dates = "epoch"
        self.lag = 0.0
        self.now = 1_780_000_000.0
        self.forbidden: frozenset[str] = frozenset()
        self.without_ids: frozenset[str] = frozenset()
        self.asked: list[tuple[str, str]] = []
        self.bodies: list[Record] = []
        self.after_write: Callable[[], None] = lambda: None
        self._ids = itertools.count(5_000_001)
        self._writes = 0
        self._made: dict[tuple[str, int], float] = {}
        self._lock = threading.RLock()

    # What tests look at

    def rows(self, name: str) -> list[Record]:
        """The records of an object."""
        return list(self.tables[name].values())

    @property
    def writes(self) -> list[tuple[str, str]]:
        """The requests that were to write something."""
        return [(method, path) for method, path in self.asked if is_write(method, path)]

    def reads(self) -> int:
        """How many requests only read."""
        return len(self.asked) - len(self.writes)

    def add(self, name: str, /, **fields: Any) -> Record:  # noqa: ANN401
        """Make a record as a person would."""
        return self._create(name, {"date_created": 1_700_000_000, "date_modified": 1_700_000_000, **fields})

    def counted(self, name: str, field: str) -> Counter[Any]:
        """How often each value of a field is there."""
        return Counter(record.get(field) for record in self.rows(name))

    # The seam

    def ask(self, question: Question, parse: Callable[[Reply], Any], ledger: Ledger) -> Any:  # noqa: ANN401, ARG002
        """Answer a question as the transport does."""
        with self._lock:
            self.asked.append((question.method, question.path))
            self.bodies.append(dict(question.body or {}))
            if question.path.strip("/").partition("/")[0] in self.forbidden and question.writes:
                raise errors.Forbidden(f"{question.label}: 403")
            fault = None
            if question.writes:
                self._writes += 1
                fault = self.fault(question, self._writes)
            if fault == "before":
                raise errors.EffectUnknown(f"{question.label}: no answer in time")
            body, headers = self._answer(question, half=fault == "half")
            if question.writes:
                self.after_write()
            if fault in ("after", "half"):
                raise errors.EffectUnknown(f"{question.label}: no answer in time")
            try:
                return parse(Reply(json.dumps(body).encode(), headers, self.now))
            except Doubtful as doubt:
                raise (errors.EffectUnknown if question.writes else errors.GaveUp)(str(doubt)) from None

    def settle(self) -> None:
        """Hold nothing."""

    def _answer(self, question: Question, *, half: bool) -> tuple[Any, Mapping[str, str]]:
        parts = question.path.strip("/").split("/")
        body = json.loads(json.dumps(question.body or {}))
        if parts == ["account"]:
            return {"id": self.account, "name": "Example"}, {}
        if parts == ["custom_field_definitions"]:
            return DEFINITIONS, {}
        if parts == ["users", "search"]:
            return (USERS if body["page_number"] == 1 else []), {"X-PW-TOTAL": str(len(USERS))}
        if len(parts) == 1 and parts[0] in LISTS:
            return LISTS[parts[0]], {}
        return self._answer_object(question.method, parts, body, half=half)

    def _answer_object(  # noqa: PLR0911 - one for each route
        self, method: str, parts: list[str], body: Record, *, half: bool
    ) -> tuple[Any, Mapping[str, str]]:
        name, *rest = parts
        assert name in OBJECTS, parts
        if rest == ["search"]:
            return self._search(name, body)
        if rest[1:] == ["related"]:
            return self._relate(method, name, int(rest[0]), body), {}
        if rest in (["bulk_create"], ["bulk_update"]):
            items = body[name]
            if len(items) > 10:
                raise errors.Refused("422", said="Request size too large, limit is 10")
            items = items[: len(items) // 2] if half else items
            return [self._bulk_item(name, item) for item in items], {}
        if rest == ["upsert"]:
            return self._upsert(name, body), {}
        if method == "POST" and not rest:
            return self._create(name, body), {}
        if method == "PUT":
            return self._update(name, int(rest[0]), body), {}
        if method == "DELETE":
            self._get(name, int(rest[0]))
            del self.tables[name][int(rest[0])]
            return {"id": int(rest[0]), "is_deleted": True}, {}
        assert method == "GET", (method, parts)
        return self._get(name, int(rest[0])), {}

    def _search(self, name: str, body: Record) -> tuple[list[Record], Mapping[str, str]]:
        present = {one["id"]: one for one in self.rows(name) if self.now - self._made[name, one["id"]] >= self.lag}
        old = {key: record for (of, key), record in self.indexed.items() if of == name}
        found = list({**present, **old}.values())
        if "ids" in body and name in self.without_ids:
            raise errors.Refused("422", said="ids: Unknown attribute")
        if "ids" in body:
            found = [one for one in found if one["id"] in body["ids"]]
        if "emails" in body:
            wanted = {address.casefold() for address in body["emails"]}
            found = [one for one in found if any(mail["email"].casefold() in wanted for mail in one["emails"])]
        if "email_domains" in body:
            found = [one for one in found if one["email_domain"] in body["email_domains"]]
        for field in ("created", "modified"):
            low, high = body.get(f"minimum_{field}_date", 0), body.get(f"maximum_{field}_date", 1 << 40)
            found = [one for one in found if low <= one[f"date_{field}"] <= high]
        by = body.get("sort_by", "name")
        found.sort(key=lambda one: (one.get(by) or 0, one["id"]), reverse=body.get("sort_direction") == "desc")
        start = (body["page_number"] - 1) * body["page_size"]
        return found[start : start + body["page_size"]], {"X-PW-TOTAL": str(len(found))}

    def _get(self, name: str, key: int) -> Record:
        if key not in self.tables[name]:
            raise errors.NotThere("404", said="Resource not found")
        return self.tables[name][key]

    def _check(self, name: str, body: Record, key: int | None = None) -> None:
        reason = self.refuses(body)
        if reason is not None:
            raise errors.Refused("422", said=reason)
        for mail in body.get("emails") or ():
            for one in self.rows(name):
                if one["id"] != key and any(other["email"] == mail["email"] for other in one["emails"]):
                    raise errors.Refused("422", said="Email has already been taken")

    def _create(self, name: str, body: Record) -> Record:
        self._check(name, body)
        now = int(self.now)
        record = {
            "name": " ".join(filter(None, (body.get("first_name"), body.get("last_name")))) or None,
            **EMPTY[name],
            "date_created": now,
            "date_modified": now,
            **self._kept(body),
            "id": body.get("id") or next(self._ids),
            "custom_fields": self._custom({}, body),
        }
        self.tables[name][record["id"]] = record
        self._made[name, record["id"]] = max(record["date_created"], record["date_modified"])
        return record

    def _update(self, name: str, key: int, body: Record) -> Record:
        record = self._get(name, key)
        self._check(name, body, key)
        custom = self._custom(record, body)
        record.update(self._kept(body))
        record["custom_fields"] = custom
        record["date_modified"] = max(record["date_modified"], int(self.now))
        return record

    def _kept(self, body: Record) -> Record:
        return {field: value for field, value in body.items() if field not in self.ignores and field != "custom_fields"}

    def _custom(self, record: Record, body: Record) -> list[Record]:
        kept = (
            {}
            if self.forgets_custom and "custom_fields" in body
            else {entry["custom_field_definition_id"]: entry["value"] for entry in record.get("custom_fields", ())}
        )
        kept |= {entry["custom_field_definition_id"]: self._written(entry) for entry in body.get("custom_fields", ())}
        return [
            {
                "custom_field_definition_id": one["id"],
                "value": kept.get(one["id"], [] if one["id"] == COLOURS else None),
            }
            for one in DEFINITIONS
        ]

    def _written(self, entry: Record) -> Any:  # noqa: ANN401
        """Return what is kept of a value; a date is epoch seconds, in whatever form it was written."""
        value = entry["value"]
        if entry["custom_field_definition_id"] != SINCE or value is None:
            return value
        if isinstance(value, str) is not (self.dates == "text"):
            raise errors.Refused("422", said="Custom field: invalid date")
        if isinstance(value, str):
            return int(datetime.strptime(value, "%m/%d/%Y").replace(tzinfo=UTC).timestamp())
        return value

    def _bulk_item(self, name: str, item: Record) -> Record:
        try:
            if "id" in item:
                fields = {field: value for field, value in item.items() if field != "id"}
                return self._update(name, item["id"], fields)
            return self._create(name, item)
        except (errors.Refused, errors.NotThere) as refusal:
            known = {"id": item["id"]} if "id" in item else {}
            return {"success": False, "message": {"record": [{"error": refusal.said}]}, **known}

    def _upsert(self, name: str, body: Record) -> Record:
        wanted = body["match"]["field_value"]
        found = [
            one
            for one in self.rows(name)
            if any(
                entry["custom_field_definition_id"] == wanted["custom_field_definition_id"]
                and entry["value"] == wanted["value"]
                for entry in one["custom_fields"]
            )
        ]
        return (
            self._update(name, found[0]["id"], body["properties"]) if found else self._create(name, body["properties"])
        )

    def _relate(self, method: str, name: str, key: int, body: Record) -> Any:  # noqa: ANN401
        self._get(name, key)
        if method == "GET":
            here = {(kind, other) for owner, one, kind, other in self.related if (owner, one) == (name, key)}
            if name == "people" and self.tables[name][key].get("company_id"):
                here.add(("company", self.tables[name][key]["company_id"]))
            return [{"type": kind, "id": other} for kind, other in sorted(here)]
        resource = body["resource"]
        self._get(SINGULAR[resource["type"]], resource["id"])
        link = (name, key, resource["type"], resource["id"])
        if name == "people" and resource["type"] == "company":
            self.tables[name][key]["company_id"] = resource["id"] if method == "POST" else None
        (self.related.add if method == "POST" else self.related.discard)(link)
        return {"removed": True, "resource": resource} if method == "DELETE" else {"resource": resource}


def is_write(method: str, path: str) -> bool:
    """Tell whether a request is to write something."""
    return method != "GET" and not path.endswith(("/search", "/fetch_by_email"))
