"""Pebble, the CRM that does not exist, as the contract's tests see it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tests.contract.crm import Crm, Knobs, living
from tests.pebble.server import API_KEY, SECOND_KEY, PebbleSandbox, pebble_app
from tests.truth import Contract, compared

if TYPE_CHECKING:
    from tests.singer import Key, Record, Run

SCHEMAS = Path(__file__).parents[1] / "pebble" / "schemas"


def _moment(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).isoformat().replace("+00:00", "Z")


CONTRACT = Contract("pebble", _moment, lambda text: text, folder=SCHEMAS)
HASH = 40


def expected(app: PebbleSandbox, stream: str, key: str) -> dict[Key, Record]:
    """Return every living record as it should arrive: custom fields as they come."""
    records = app.account.records(stream)
    if stream == "contacts":
        records = [
            {
                **{name: value for name, value in record.items() if len(name) != HASH},
                "custom_fields": {name: value for name, value in record.items() if len(name) == HASH},
            }
            for record in records
        ]
    return {(record[key],): CONTRACT.as_it_should_arrive(stream, record) for record in records}


class Pebble(Crm):
    """A list by cursor from a change time on, lists in one answer."""

    name = "pebble"
    module = "tests.pebble"
    config: ClassVar[dict[str, Any]] = {"api_key": API_KEY}
    shape: ClassVar[dict[str, Any]] = {"contacts": 250}
    default = ("account", "contacts", "labels", "custom_fields")
    streams = default
    keys: ClassVar[dict[str, tuple[str, ...]]] = {"custom_fields": ("key",)}
    replication: ClassVar[dict[str, str]] = {"contacts": "updated_at"}
    edited: ClassVar[dict[str, int]] = {"contacts": 1}
    changed: ClassVar[dict[str, str]] = {"contacts": "updated_at"}
    listed = ("labels",)
    broken = ("labels", "labels")
    slow = ("contacts",)
    left_out: ClassVar[dict[str, tuple[Knobs, tuple[str, ...]]]] = {
        "a list": ({"forbidden": ["labels"]}, ("labels",)),
    }
    nothing: ClassVar[Knobs | None] = {"forbidden": ["me", "contacts", "labels", "contact_fields"]}
    wrong = (({"api_key": ""}, ("`api_key` is missing",)),)
    no_effect = ("date_order", "dmy")
    alone = ("contacts", frozenset({"contacts", "me"}))
    deselected = ("contacts.email", "labels.colour")
    # No count speaks for an empty answer.
    idle: ClassVar[dict[str, int]] = {"contacts": 2}
    forgotten: ClassVar[dict[str, str]] = {"contacts": "name", "labels": "colour"}

    def app(self, shape: dict[str, Any], **knobs: Any) -> PebbleSandbox:  # noqa: ANN401
        """Return the server of an account."""
        return pebble_app(**shape, **knobs)

    def differences(self, app: PebbleSandbox, stream: str, *runs: Run) -> dict[str, Any]:
        """Compare all values; those of custom fields as they come."""
        table = CONTRACT.without_custom_columns(stream, living(stream, *runs))
        return compared(expected(app, stream, self.key_of(stream)[0]), table)

    def other_key(self, app: PebbleSandbox) -> dict[str, Any]:  # noqa: ARG002
        """Return the second key."""
        return {"api_key": SECOND_KEY}

    def drop(self, app: PebbleSandbox, stream: str) -> set[Key]:
        """Take the last label away."""
        assert stream == "labels"
        return {(app.account.labels.pop()["id"],)}
