"""The custom fields of Close: a field for each value, a list of definitions for each kind, and shared ones."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from tests import custom_truth
from tests.contract.close import Close
from tests.contract.custom import Custom, Which

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.close import CloseSandbox
    from sandbox.simulator import Moment

PREFIX = "custom."
COLOUR: dict[str, Any] = {"name": "Colour", "type": "choices", "choices": ["red", "green"], "fill": True}
SHARED = "shared"


class CloseCustom(Custom):
    """Definitions have choices; shared ones are associated with kinds of records."""

    crm = "close"
    stream = "leads"
    streams = custom_truth.Close.streams
    shape: ClassVar[dict[str, Any]] = {
        "now": int(time.time()),
        "leads": 24,
        "contacts": 12,
        "opportunities": 20,
        "tasks": 3,
        "activities": {"custom_activities": 24},
        "events": 3,
        "sequence_subscriptions": 3,
        "custom_objects": 12,
        "comments": 2,
        "small_lists": 2,
        "custom_fields": 24,
    }
    few: ClassVar[dict[str, Any]] = {
        **dict.fromkeys(("leads", "contacts", "opportunities", "custom_objects"), 12),
        "activities": {"custom_activities": 12},
    }
    many = {"custom_fields": 100}, 120
    none: ClassVar[dict[str, Any]] = {"custom_fields": 0}
    kinds: ClassVar[set[str]] = {
        *custom_truth.CLOSE_TYPES,
        *(
            f"{kind}, several values"
            for kind in ("choices", "user", "contact", "custom_object", "text", "url", "email")
        ),
    }
    names: ClassVar[dict[Which, str]] = {
        ("Größe (m²)", "number"): "custom_grosse_m2",
        ("Birthday 🎂", "date"): "custom_birthday",
        ("date_updated", "text"): "custom_date_updated",
        ("Name", "text"): "custom_name",
        ("Status Label", "choices"): "custom_status_label",
        ("Référents", "contact"): "custom_referents",
        ("№ 1 / «Süd»", "number"): "custom_no_1_sud",
        ("顧客ランク", "choices"): "custom_{id}",
        ("🎉🦊", "email"): "custom_{id}",
        ("Region", "text"): "custom_region_{end}",
        ("Region", "choices"): "custom_region_{end}",
        ("  region  ", "textarea"): "custom_region_{end}",
        ("Fields", "text"): "custom_fields_{end}",
    }
    gone = ("Notes", "顧客ランク", "Machine", "Name (shared)")
    paths = (
        (("leads",), frozenset({"custom_field/lead", "custom_field/shared"})),
        (
            ("custom_activities", "custom_objects"),
            frozenset({"custom_field/activity", "custom_field/custom_object_type", "custom_field/shared"}),
        ),
        (
            (*streams, "custom_fields"),
            frozenset(
                f"custom_field/{kind}"
                for kind in ("lead", "contact", "opportunity", "activity", "custom_object_type", SHARED)
            ),
        ),
        (("users", "notes"), frozenset()),
    )
    failing = "custom_field/shared"
    refused = (
        ("custom_field/lead", 402, ("leads",)),
        ("custom_field/lead", 403, ("leads",)),
        ("custom_field/lead", 404, ("leads",)),
        ("custom_field/shared", 403, streams),
    )
    wrong: ClassVar[dict[Which, Any]] = {
        ("Region", "choices"): {"a": 1},
        ("Größe (m²)", "number"): "wide",
        ("Birthday 🎂", "date"): "some day",
        ("Notes", "textarea"): ["a"],
        ("Owner", "user"): True,
        ("顧客ランク", "choices"): [{"label": "A"}],
        ("Next call", "datetime"): "soon",
        ("Référents", "contact"): {"id": "cont_1"},
    }
    alike: ClassVar[dict[Which, tuple[Any, Any]]] = {
        ("Größe (m²)", "number"): ("12.50", 12.5),
        ("顧客ランク", "choices"): ("Nord", ["Nord"]),
        ("Référents", "contact"): ("cont_1", ["cont_1"]),
        ("Next call", "datetime"): ("2026-03-01T01:30:00+02:00", "2026-02-28T23:30:00Z"),
        ("Region", "choices"): ("no choice any more", "no choice any more"),
        ("Region", "text"): (42, "42"),
    }
    # A search gives only the fields that it is asked for.
    pair = ("leads", "opportunities")
    renamed = ("Notes", "custom_notes", "Remarks", "custom_remarks")
    looked_at = ("leads", "custom_activities")
    changes: ClassVar[dict[str, tuple[str, ...]]] = dict.fromkeys(
        ("added, filled", "added, shared", "removed", "renamed"), ("leads",)
    )
    retyped: ClassVar[dict[Which, dict[str, Any]]] = {
        ("Größe (m²)", "number"): {"type": "text"},
        ("Notes", "textarea"): {"type": "number"},
        ("Name", "text"): {"type": "datetime"},
        ("Birthday 🎂", "date"): {"type": "datetime"},
        ("Next call", "datetime"): {"type": "date"},
        ("Region", "choices"): {"type": "choices", "accepts_multiple_values": True},
        ("顧客ランク", "choices"): {"type": "choices"},
        ("Référents", "contact"): {"type": "number"},
        ("date_updated", "text"): {"type": "url", "accepts_multiple_values": True},
    }
    still_right = ("Owner", "user"), {"type": "contact"}

    def server(self, shape: dict[str, Any], **knobs: Any) -> CloseSandbox:  # noqa: ANN401
        """Return the server of an account."""
        return Close().app(shape, **knobs)

    def truth(self, app: CloseSandbox) -> custom_truth.Close:
        """Return what its columns should hold."""
        return custom_truth.Close(app.account)

    def number(self, app: CloseSandbox, label: str, kind: str = "", stream: str = "") -> str:
        """Return the id of the first definition of that name, and type; shared ones follow the stream's own."""
        own = custom_truth.CLOSE_OBJECTS[stream or self.stream][0]
        for of in (own, SHARED):
            for one in app.account.records("custom_fields"):
                if (one["object_type"], one["name"]) == (of, label) and kind in ("", one["type"]):
                    return str(one["id"])
        raise KeyError(label)

    def give(self, app: CloseSandbox, stream: str, values: dict[str, Any], place: int = 0) -> str:
        """Give a record these values, beside the others that it has."""
        record = str(app.account.ids(stream)[place])
        app.account.edit(stream, ids=[record], changes={f"{PREFIX}{key}": value for key, value in values.items()})
        return record

    def set_all(self, app: CloseSandbox, number: str, value: Any) -> None:  # noqa: ANN401
        """Let every lead have this value of a field, beside its others."""
        leads = [str(one) for one in app.account.ids(self.stream)]
        app.account.edit(self.stream, ids=leads, changes={f"{PREFIX}{number}": value})

    def add(self, app: CloseSandbox, label: str, *, like: str = "") -> str:  # noqa: ARG002
        """Define a field of all leads."""
        order = {"object_type": "lead", "name": label, "type": "url", "fill": True}
        (number,) = app.account.change("add_field", order)
        return str(number)

    def rename(self, app: CloseSandbox, number: str, label: str) -> None:
        """Give a field another name."""
        app.account.rename_field(id=number, name=label)

    def remove(self, app: CloseSandbox, number: str) -> None:
        """Delete a field."""
        app.account.remove_field(id=number)

    def retype(self, app: CloseSandbox, number: str, order: dict[str, Any]) -> None:
        """Make a field one of another type."""
        app.account.change("retype_field", {"id": number, **order})

    def change(self, app: CloseSandbox, name: str) -> None:
        """Let it happen to the field that is renamed, or to a new one."""
        notes = self.number(app, "Notes")
        if name == "added, filled":
            app.account.change("add_field", {**COLOUR, "object_type": "lead"})
        elif name == "added, shared":
            order = {**COLOUR, "object_type": SHARED, "associations": [{"object_type": "lead"}]}
            app.account.change("add_field", order)
        elif name == "removed":
            self.remove(app, notes)
        else:
            self.rename(app, notes, "Remarks")
        self.touch(app)

    def raw(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return the fields whose names begin so."""
        return {name.removeprefix(PREFIX): value for name, value in record.items() if name.startswith(PREFIX)}

    def answer_with(self, app: CloseSandbox, status: int, path: str) -> Callable[[], None]:
        """Let every answer of a list be of this status."""

        def refuse(moment: Moment) -> None:
            if moment.answer is not None and moment.request.path.startswith(path):
                moment.answer.status = status
                moment.answer.body = msgspec.json.encode({"error": "Not for you."})

        return app.on_answer(refuse)
