"""The custom fields of Pebble: a field for each value, called by the hash of its definition."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from tests import custom_truth
from tests.contract.custom import Custom, Which
from tests.contract.pebble import HASH, Pebble, expected
from tests.truth import exact

if TYPE_CHECKING:
    from tests.pebble.server import PebbleSandbox
    from tests.singer import Key, Record

KINDS: dict[str, tuple[dict[str, Any], custom_truth.Read]] = {
    "text": (custom_truth.TEXT, exact),
    "number": (custom_truth.NUMBER, lambda value: Decimal(str(value))),
    "date": (custom_truth.DATE, exact),
    "set": (custom_truth.TEXTS, exact),
}


class Truth:
    """What contacts should hold."""

    streams: tuple[str, ...] = ("contacts",)

    def __init__(self, app: PebbleSandbox) -> None:
        self._app = app

    def expected(self, stream: str) -> dict[Key, Record]:
        """Return the records as they should arrive without columns for custom fields."""
        return expected(self._app, stream, "id")

    def fields(self, stream: str) -> dict[str, custom_truth.Field]:  # noqa: ARG002
        """Return the custom fields by their hashes."""
        return {
            one["key"]: custom_truth.Field(
                one["key"], one["name"], one["kind"], *KINDS[one["kind"]], tuple(one["options"] or ())
            )
            for one in self._app.account.records("custom_fields")
        }

    def values(self, raw: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return the values of an object."""
        return dict(raw)

    def keep(self, extra: Record, key: str, value: Any) -> None:  # noqa: ANN401
        """Keep a value under its hash."""
        extra[key] = value


class PebbleCustom(Custom):
    """One list of definitions, of one stream."""

    crm = "pebble"
    stream = "contacts"
    streams = ("contacts",)
    shape: ClassVar[dict[str, Any]] = {"contacts": 24, "now": 1_790_000_000}
    many = {"fields": 60}, 60
    none: ClassVar[dict[str, Any]] = {"fields": 0}
    kinds: ClassVar[set[str]] = set(KINDS)
    names: ClassVar[dict[Which, str]] = {
        ("Größe (m²)", "set"): "custom_grosse_m2",
        ("updated_at", "text"): "custom_updated_at",
        ("顧客ランク", "date"): "custom_{id}",
        ("Region", "text"): "custom_region_{end}",
        ("region", "number"): "custom_region_{end}",
        ("Fields", "number"): "custom_fields_{end}",
    }
    gone = ("Notes", "顧客ランク", "Shoe size")
    paths = (
        (("contacts",), frozenset({"contact_fields"})),
        (("contacts", "custom_fields"), frozenset({"contact_fields"})),
        (("labels",), frozenset()),
    )
    failing = "contact_fields"
    refused = (("contact_fields", 403, ("contacts", "custom_fields")),)
    wrong: ClassVar[dict[Which, Any]] = {
        ("Region", "text"): {"eu": 42},
        ("region", "number"): "much",
        ("Shoe size", "date"): "some day",
        ("Notes", "set"): [{"id": 1}],
    }
    alike: ClassVar[dict[Which, tuple[Any, Any]]] = {
        ("Region", "text"): (42, "42"),
        ("region", "number"): ("12.50", 12.5),
        ("Notes", "set"): ("red", ["red"]),
    }
    pair = ("contacts", "contacts")
    renamed = ("Notes", "custom_notes", "Remarks", "custom_remarks")
    other = "Shoe size"
    looked_at = ("contacts",)
    changes: ClassVar[dict[str, tuple[str, ...]]] = dict.fromkeys(
        ("added, filled", "added, named like another", "removed", "renamed", "renamed to the name of another"),
        looked_at,
    )
    retyped: ClassVar[dict[Which, dict[str, Any]]] = {
        ("Region", "text"): {"kind": "number"},
        ("region", "number"): {"kind": "text"},
        ("Shoe size", "date"): {"kind": "text"},
        ("Notes", "set"): {"kind": "text"},
    }
    new_value: ClassVar[Any] = ["green"]

    def server(self, shape: dict[str, Any], **knobs: Any) -> PebbleSandbox:  # noqa: ANN401
        """Return the server of an account."""
        return Pebble().app(shape, **knobs)

    def truth(self, app: PebbleSandbox) -> Truth:
        """Return what its columns should hold."""
        return Truth(app)

    def number(self, app: PebbleSandbox, label: str, kind: str = "", stream: str = "") -> str:  # noqa: ARG002
        """Return the hash of the first definition of that name, and kind."""
        found = app.account.records("custom_fields")
        return next(str(one["key"]) for one in found if one["name"] == label and kind in ("", one["kind"]))

    def give(self, app: PebbleSandbox, stream: str, values: dict[str, Any], place: int = 0) -> int:
        """Give a contact these values, beside the others that it has."""
        record = int(app.account.ids(stream)[place])
        app.account.edit(stream, ids=[record], changes=values)
        return record

    def set_all(self, app: PebbleSandbox, number: str, value: Any) -> None:  # noqa: ANN401
        """Let every contact have this value of a field, beside its others."""
        app.account.edit(self.stream, ids=list(app.account.contacts), changes={number: value})

    def add(self, app: PebbleSandbox, label: str, *, like: str = "") -> str:
        """Define a field of all contacts."""
        kinds = {one["key"]: one["kind"] for one in app.account.records("custom_fields")}
        return app.account.add_field(label, kinds.get(like, "text"), fill=True)

    def rename(self, app: PebbleSandbox, number: str, label: str) -> None:
        """Give a field another name."""
        app.account.field(number)["name"] = label

    def remove(self, app: PebbleSandbox, number: str) -> None:
        """Delete a field."""
        app.account.remove_field(number)

    def retype(self, app: PebbleSandbox, number: str, order: dict[str, Any]) -> None:
        """Make a field one of another kind; its values become such."""
        definition = app.account.field(number)
        definition |= {**order, "options": None}
        for key, record in app.account.contacts.items():
            if number in record:
                record[number] = app.account.value(definition, key)

    def change(self, app: PebbleSandbox, name: str) -> None:
        """Let it happen to the field that is renamed, or to a new one."""
        notes = self.number(app, "Notes")
        if name == "added, filled":
            self.add(app, "Colour", like=notes)
        elif name == "added, named like another":
            app.account.add_field("notes", "number", fill=True)
        elif name == "removed":
            self.remove(app, notes)
        else:
            self.rename(app, notes, "Remarks" if name == "renamed" else self.other)
        self.touch(app)

    def raw(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return the fields that are called by a hash."""
        return {name: value for name, value in record.items() if len(name) == HASH}
