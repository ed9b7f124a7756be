"""An account of each CRM that is written to: what is there before, and how what is there is told without the target."""

from __future__ import annotations

import copyreg
import json
import pickle
import threading
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from sandbox import close, copera
from sandbox.client import Client, CloseClient
from sandbox.copper import API_KEY, USER_EMAIL, Shape, copper_app
from tests.proof.seam import BASE
from tests.target_crm import close_account, copera_account
from tests.target_crm.copera_account import COMPANIES, PEOPLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.simulator import Simulator
    from tests.proof.seam import Asked

Record = dict[str, Any]
#: What a table of the CRM holds: how often each row is there, without what the CRM itself puts into it.
Content = dict[str, Counter[str]]
#: A lock is copied as a new one: an account's is free while it is copied.
copyreg.pickle(type(threading.RLock()), lambda _: (threading.RLock, ()))
copyreg.pickle(type(threading.Lock()), lambda _: (threading.Lock, ()))


def copy_of(app: Simulator) -> Simulator:
    """Return an account as it is, which changes without the other one."""
    pickled = pickle.dumps(app, pickle.HIGHEST_PROTOCOL)  # five times as quick as deepcopy
    copied: Simulator = pickle.loads(pickled)  # noqa: S301 - made here
    return copied


class Written(ABC):
    """A CRM that is written to.

    Attributes:
        name: the setting ``provider``.
        credentials: the other settings of the connection.
        external: by stream, the field that keeps our own key; the CRM's id is the key of the others.
        volatile: fields whose values are the CRM's own.
        companion: a stream that another one is held against, and the one for which another has to do.
    """

    name: ClassVar[str]
    credentials: ClassVar[Record]
    external: ClassVar[Mapping[str, str]]
    volatile: ClassVar[frozenset[str]]
    companion: ClassVar[tuple[str, str]]

    @abstractmethod
    def app(self, seed: int = 1) -> Simulator:
        """Return an account without any record."""

    @abstractmethod
    def prepare(self, app: Simulator) -> dict[str, Any]:
        """Make records that nobody writes to, under the seam; return what records refer to."""

    @abstractmethod
    def rows(self, app: Simulator) -> Mapping[str, list[Record]]:
        """Return all records of each object, as the API gives them, under the seam."""

    @abstractmethod
    def example(self, stream: str, at: int, text: str, refers: Mapping[str, Any]) -> Record:
        """Return a record of a stream; those of one number and another text are the same one, changed."""

    def url(self, app: Simulator) -> str:
        """Return the address of the API."""
        return BASE + app.base_path

    def reads(self, asked: Asked) -> bool:
        """Tell whether a request changes nothing."""
        return asked.method == "GET" or asked.path.rstrip("/").endswith("/search")

    def content(self, app: Simulator) -> Content:
        """Return what is there."""
        return {
            name: Counter(json.dumps(self._own(row), sort_keys=True) for row in rows)
            for name, rows in self.rows(app).items()
        }

    def _own(self, value: Any) -> Any:  # noqa: ANN401 - JSON
        if isinstance(value, list):
            return [self._own(one) for one in value]
        if isinstance(value, dict):
            own = {name: self._own(one) for name, one in value.items() if name not in self.volatile}
            return {name: one for name, one in own.items() if one not in (None, "", [], {})}
        return value


class Copper(Written):
    """Copper's records and relations."""

    name = "copper"
    external = dict.fromkeys(("people", "companies", "leads", "opportunities", "projects", "tasks"), "custom_our_key")
    credentials: ClassVar[Record] = {"provider": "copper", "api_key": API_KEY, "user_email": USER_EMAIL}
    volatile = frozenset(
        (
            *("id", "creator_id", "date_created", "date_modified", "date_last_contacted", "date_stage_changed"),
            *("interaction_count", "leads_converted_from", "date_lead_created", "completed_date", "converted_at"),
        )
    )
    companion = ("projects", "tasks")
    _EMPTY: ClassVar[Record] = dict.fromkeys(
        ("people", "companies", "opportunities", "leads", "projects", "tasks", "activities"), 0
    )

    @override
    def app(self, seed: int = 1) -> Simulator:
        return copper_app(
            Shape(**self._EMPTY, seed=seed, account=seed, custom_fields=3), rate_limit=0, bulk_rate_limit=0
        )

    @override
    def prepare(self, app: Simulator) -> dict[str, Any]:
        app.account.add_field("Our key", "String", sampled=False, is_filterable=True)  # type: ignore[attr-defined]
        client = Client(self.url(app))
        made = {}
        for name, record in {
            "people": {"name": "By Stander", "emails": [{"email": "by@stander.com", "category": "work"}]},
            "companies": {"name": "Bystander", "email_domain": "stander.com"},
            "leads": {"name": "Lead Stander"},
            "projects": {"name": "Project"},
            "tasks": {"name": "Task"},
        }.items():
            answer = client.post(name, record)
            assert answer.ok, answer.text
            made[name] = answer.json()["id"]
        for at in (*range(6), *range(100, 103)):  # relations are made between records that nobody else relates
            made[f"person {at}"] = client.post("people", {"name": f"Related {at}"}).json()["id"]
        client.close()
        return made

    @override
    def rows(self, app: Simulator) -> Mapping[str, list[Record]]:
        client = Client(self.url(app))
        found = {
            name: client.everything(name, **({"include_converted_leads": True} if name == "leads" else {}))
            for name in self._EMPTY
        }
        company = min(one["id"] for one in found["companies"])
        related = client.get(f"companies/{company}/related").json()
        found["related_items"] = [{"type": one["type"], "to": one["id"]} for one in related]
        client.close()
        return found

    @override
    def example(self, stream: str, at: int, text: str, refers: Mapping[str, Any]) -> Record:
        name = f"{stream.title()} {at}"
        keyed = {"key": f"{stream}-{at}", "name": name, "details": text}
        samples: dict[str, Record] = {
            "people": {**keyed, "emails": [f"p{at}@example.com"], "phone_numbers": ["415 555 0100"]},
            "companies": {**keyed, "email_domain": f"c{at}.example.com"},
            "leads": {**keyed, "email": f"l{at}@example.com", "tags": ["a", text]},
            "opportunities": {**keyed, "primary_contact_id": refers["people"], "close_date": "2026-12-24"},
            "projects": {**keyed, "status": "Open"},
            "tasks": {**keyed, "due_date": "2026-12-24T10:00:00Z"},
            "activities": {
                "id": 900 + at,
                "type": {"category": "user", "id": 0},
                "parent": {"type": "person", "id": refers["people"]},
                "details": f"{name}, {text}",
                "activity_date": "2026-01-02T03:04:05Z",
            },
            "related_items": {
                "parent_type": "company",
                "parent_id": refers["companies"],
                "type": "person",
                "id": refers.get(f"person {at}"),
            },
        }
        return samples[stream]


class Close(Written):
    """Close's records."""

    name = "close"
    external: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("leads", "contacts", "opportunities", "custom_activities"), "custom_our_key"),
        "custom_objects": "name",
        "tasks": "text",
        "notes": "title",
        "calls": "note",
    }
    credentials: ClassVar[Record] = {"provider": "close", "api_key": close.API_KEY}
    volatile = frozenset(
        (
            *("id", "date_created", "date_updated", "created_by", "updated_by", "activity_at", "updated_at"),
            *("created_at", "thread_id", "contacts", "opportunities", "tasks", "html_url", "_date_sort"),
            *(
                "activity_at_tz",
                "view_id",
                "date_lost",
                "status_display_name",
                "removed_at",
                "last_published_at",
                "contact_ids",
            ),
        )
    )
    companion = ("tasks", "notes")

    @override
    def app(self, seed: int = 1) -> Simulator:
        return close.close_app(replace(close_account.EMPTY, seed=seed), rate_limit=0)

    @override
    def prepare(self, app: Simulator) -> dict[str, Any]:
        account = close_account.CloseAccount(app, self.url(app))  # type: ignore[arg-type]
        made: dict[str, Any] = {"activity": account.client.rows("custom_activity")[0]["id"]}
        for kind in ("lead", "contact", "opportunity", "activity"):
            account.define(kind, "Our key", "text")
        definition: Record = app.account.lists["custom_fields"][-1]  # type: ignore[attr-defined]
        definition["custom_activity_type_id"] = made["activity"]
        made["leads"] = account.add("leads", name="Bystander")["id"]
        made["notes"] = account.add("notes", lead_id=made["leads"], note="A note")["id"]
        account.add("contacts", lead_id=made["leads"], name="By Stander")
        made["object"] = account.client.rows("custom_object_type")[0]["id"]
        account.client.close()
        return made

    @override
    def rows(self, app: Simulator) -> Mapping[str, list[Record]]:
        client = CloseClient(self.url(app))
        leads = client.everything("lead")
        asked: dict[str, Record] = {"tasks": {"_type": "all"}}
        found = {
            name: client.everything(path, **asked.get(name, {}))
            for name, path in close_account.PATHS.items()
            if name not in ("custom_objects", "comments", "unsubscribed_emails")
        }
        found["unsubscribed_emails"] = client.rows("unsubscribe/email")
        for lead in leads:
            found.setdefault("custom_objects", []).extend(client.rows("custom_object", lead_id=lead["id"]))
        note = min(found["notes"], key=lambda one: one["date_created"])
        found["comments"] = client.rows("comment", object_id=note["id"])
        client.close()
        return found

    @override
    def example(self, stream: str, at: int, text: str, refers: Mapping[str, Any]) -> Record:
        name, lead = f"{stream.title()} {at}", {"lead_id": refers["leads"]}
        keyed = {"key": f"{stream}-{at}"}
        samples: dict[str, Record] = {
            "leads": {**keyed, "name": name, "description": text},
            "contacts": {**keyed, **lead, "name": name, "title": text, "emails": [f"c{at}@example.com"]},
            "opportunities": {**keyed, **lead, "note": f"{name}, {text}", "value": 1200, "value_period": "monthly"},
            "custom_objects": {**keyed, **lead, "custom_object_type_id": refers["object"]},
            "tasks": {**keyed, **lead, "date": "2026-12-24", "resolution": text},
            "notes": {**keyed, **lead, "note": text},
            "calls": {**keyed, **lead, "direction": "inbound", "duration": len(text)},
            "custom_activities": {**keyed, **lead, "custom_activity_type_id": refers["activity"], "status": text},
            "comments": {
                "id": f"c{at}",
                "object_type": "activity.note",
                "object_id": refers["notes"],
                "body": f"{name}, {text}",
            },
            "unsubscribed_emails": {"email": f"u{at}@example.com"},
        }
        return samples[stream]


class Copera(Written):
    """Rows of Copera's tables, and comments."""

    name = "copera"
    external: ClassVar[Mapping[str, str]] = dict.fromkeys((PEOPLE, COMPANIES), "our_key")
    credentials: ClassVar[Record] = {"provider": "copera", "api_key": copera.PAT}
    volatile = frozenset({"_id", "rowId", "owner", "createdAt", "updatedAt", "author", "createdBy"})
    companion = (COMPANIES, PEOPLE)

    @override
    def app(self, seed: int = 1) -> Simulator:
        return copera.copera_app(replace(copera_account.EMPTY, seed=seed), rate_limit=0, create_limit=0)

    @override
    def prepare(self, app: Simulator) -> dict[str, Any]:
        account = self._account(app)
        for stream in (PEOPLE, COMPANIES):
            account.add_column(stream, "Our key", "TEXT")
            account.add_column(stream, "Title", "TEXT")
        row = account.add(PEOPLE, Name="By Stander")
        account.add(COMPANIES, Name="Bystander")
        account.client.close()
        return {"row": row}

    def _account(self, app: Simulator) -> copera_account.CoperaAccount:
        return copera_account.CoperaAccount(app, self.url(app))  # type: ignore[arg-type]

    @override
    def rows(self, app: Simulator) -> Mapping[str, list[Record]]:
        account = self._account(app)
        found: dict[str, list[Record]] = {
            stream: [
                {name: row.get(name) for name in ("_id", "board", "table", "Name", "Title", "Our key")}
                for row in account.rows(stream)
            ]
            for stream in (PEOPLE, COMPANIES)
        }
        comments = [
            one
            for row in found[PEOPLE]
            for one in account.client.json(f"{account.path(PEOPLE)}/row/{row['_id']}/comments")["items"]
        ]
        account.client.close()
        return {**found, "row_comments": comments}

    @override
    def example(self, stream: str, at: int, text: str, refers: Mapping[str, Any]) -> Record:
        if stream == "row_comments":
            row = refers["row"]
            place = {"row": row["_id"], "board": row["board"], "table": row["table"]}
            return {"_id": f"c{at}", **place, "content": f"<p>Comment {at}</p>"}
        return {"key": f"{stream}-{at}", "name": f"Row {at}", "title": text}


CRMS: dict[str, Written] = {crm.name: crm for crm in (Copper(), Close(), Copera())}
