"""The custom fields of Copper: entries in a list, one list of definitions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

from tests import custom_truth
from tests.contract.copper import Copper
from tests.contract.custom import Custom, Which

if TYPE_CHECKING:
    from sandbox.copper import CopperSandbox

DEFINITIONS = "custom_field_definitions"
RED_AND_GREEN = ["red", "green"]


class CopperCustom(Custom):
    """Definitions have labels for options; values are entries in a list."""

    crm = "copper"
    stream = "people"
    streams = custom_truth.Copper.streams
    shape: ClassVar[dict[str, Any]] = {
        "now": int(time.time()),
        "people": 24,
        "companies": 12,
        "leads": 12,
        "opportunities": 12,
        "projects": 6,
        "tasks": 6,
        "activities": 5,
        "odd_close_dates": 0,
        "custom_fields": 28,
        "tags": 5,
    }
    many = {"custom_fields": 120}, 120
    none: ClassVar[dict[str, Any]] = {"custom_fields": 0}
    kinds: ClassVar[set[str]] = {*custom_truth.COPPER_KINDS, "Dropdown", "MultiSelect"}
    names: ClassVar[dict[Which, str]] = {
        ("Homepage", "URL"): "custom_homepage",
        ("Contract signed?", "Checkbox"): "custom_contract_signed",
        ("  Padded  ", "String"): "custom_padded",
        ("Größe (m²) – Büro №1", "Float"): "custom_grosse_m2_buro_no1",  # noqa: RUF001
        ("date_modified", "Date"): "custom_date_modified",
        ("Id", "String"): "custom_id",
        ("Name", "String"): "custom_name",
        ("顧客ランク", "Dropdown"): "custom_{id}",
        ("🎂", "Date"): "custom_{id}",
        ("Shoe size", "String"): "custom_shoe_size_{id}",
        ("shoe size", "Percentage"): "custom_shoe_size_{id}",
        ("Region", "Dropdown"): "custom_region_{id}",
        ("Region", "String"): "custom_region_{id}",
        ("Region", "Float"): "custom_region_{id}",
        ("Fields", "String"): "custom_fields_{id}",
        ("fields!", "Float"): "custom_fields_{id}",
    }
    gone = ("Homepage", "Birthday", "Interests")
    paths = (
        (("tasks",), frozenset({DEFINITIONS})),
        (streams, frozenset({DEFINITIONS})),
        (("custom_fields",), frozenset({DEFINITIONS})),
        (("users", "activities"), frozenset()),
    )
    failing = DEFINITIONS
    refused = ((DEFINITIONS, 403, (*streams, "custom_fields")),)
    wrong: ClassVar[dict[Which, Any]] = {
        ("Shoe size", "String"): {"eu": 42},
        ("Background", "Text"): ["a", "b"],
        ("Homepage", "URL"): True,
        ("Region", "Dropdown"): [700_120],
        ("Interests", "MultiSelect"): [{"id": 700_160}],
        ("Birthday", "Date"): "some day",
        ("Newsletter", "Checkbox"): "perhaps",
        ("Score", "Float"): "much",
        ("Budget", "Currency"): {"amount": 5, "currency": "USD"},
        ("Discount", "Percentage"): False,
    }
    alike: ClassVar[dict[Which, tuple[Any, Any]]] = {
        ("Score", "Float"): ("12.50", 12.5),
        ("Shoe size", "String"): (42, "42"),
        ("Region", "Dropdown"): ("700122", "Bayern"),
        ("Interests", "MultiSelect"): (["Zug", "700160"], ["Zug", "California"]),
        ("Newsletter", "Checkbox"): ("true", True),
        ("Birthday", "Date"): (-86_400, "1969-12-31"),
    }
    pair = ("people", "people")
    renamed = ("Homepage", "custom_homepage", "Website", "custom_website")
    other = "Score"
    looked_at = ("people", "companies")
    changes: ClassVar[dict[str, tuple[str, ...]]] = dict.fromkeys(
        ("added, filled", "added, in what is edited", "removed", "renamed", "renamed to the name of another"), looked_at
    )
    retyped: ClassVar[dict[Which, dict[str, Any]]] = {
        ("Score", "Float"): {"data_type": "String"},
        ("Background", "Text"): {"data_type": "Float"},
        ("Birthday", "Date"): {"data_type": "Text"},
        ("Shoe size", "String"): {"data_type": "Date"},
        ("Region", "Dropdown"): {"data_type": "MultiSelect"},
        ("Tags", "MultiSelect"): {"data_type": "Dropdown"},
        ("Interests", "MultiSelect"): {"data_type": "Text"},
        ("Newsletter", "Checkbox"): {"data_type": "Dropdown", "options": ["true", "false", "maybe"]},
        ("Discount", "Percentage"): {"data_type": "Checkbox"},
    }
    still_right = ("Budget", "Currency"), {"data_type": "Percentage"}

    def server(self, shape: dict[str, Any], **knobs: Any) -> CopperSandbox:  # noqa: ANN401
        """Return the server of an account."""
        return Copper().app(shape, **knobs)

    def truth(self, app: CopperSandbox) -> custom_truth.Copper:
        """Return what its columns should hold."""
        return custom_truth.Copper(app.account)

    def number(self, app: CopperSandbox, label: str, kind: str = "", stream: str = "") -> str:  # noqa: ARG002
        """Return the id of the first definition of that name, and kind."""
        found = app.account.records(DEFINITIONS)
        return next(str(one["id"]) for one in found if one["name"] == label and kind in ("", one["data_type"]))

    def give(self, app: CopperSandbox, stream: str, values: dict[str, Any], place: int = 0) -> int:
        """Let the record have just these entries."""
        entries = [{"custom_field_definition_id": int(key), "value": value} for key, value in values.items()]
        record = app.account.records(stream)[place]["id"]
        app.account.edit(stream, ids=[record], changes={"custom_fields": entries})
        return int(record)

    def set_all(self, app: CopperSandbox, number: str, value: Any) -> None:  # noqa: ANN401
        """Let every record of the streams that are looked at have this value of a field, beside its others."""
        for stream in self.looked_at:
            for record in app.account.records(stream):
                entries = [
                    {**entry, "value": value} if entry["custom_field_definition_id"] == int(number) else entry
                    for entry in record["custom_fields"]
                ]
                app.account.edit(stream, ids=[record["id"]], changes={"custom_fields": entries})

    def gather(self, app: CopperSandbox) -> bool:
        """Let every field be one of people."""
        for one in app.account.records(DEFINITIONS):
            app.account.edit(DEFINITIONS, ids=[one["id"]], changes={"available_on": ["person"]})
        return True

    def add(self, app: CopperSandbox, label: str, *, like: str = "") -> str:
        """Define a field of all records."""
        kinds = {str(one["id"]): one["data_type"] for one in app.account.records(DEFINITIONS)}
        return str(app.account.add_field(label, kinds.get(like, "String"), fill=True))

    def rename(self, app: CopperSandbox, number: str, label: str) -> None:
        """Give a field another name."""
        app.account.rename_field(int(number), label)

    def remove(self, app: CopperSandbox, number: str) -> None:
        """Delete a field."""
        app.account.remove_field(int(number))

    def retype(self, app: CopperSandbox, number: str, order: dict[str, Any]) -> None:
        """Make a field one of another kind."""
        app.account.change("retype_field", {"id": int(number), **order})

    def change(self, app: CopperSandbox, name: str) -> None:
        """Let it happen to the field that is renamed, or to a new one."""
        homepage = self.number(app, "Homepage")
        if name == "added, filled":
            app.account.add_field("Colour", "Dropdown", options=RED_AND_GREEN, fill=True)
        elif name == "added, in what is edited":
            app.account.add_field("Colours", "MultiSelect", options=RED_AND_GREEN)
        elif name == "removed":
            self.remove(app, homepage)
        else:
            self.rename(app, homepage, "Website" if name == "renamed" else self.other)
        self.touch(app)

    def care(self, app: CopperSandbox, stream: str) -> None:
        """Let each answer have a field more."""
        app.behaviour.extra_fields = {stream: {"brand_new": [1.5]}}

    def raw(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return the values of the entries."""
        return {str(entry["custom_field_definition_id"]): entry["value"] for entry in record["custom_fields"]}
