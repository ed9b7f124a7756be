"""An account of odd data that changes between three runs, and what the tap writes of it in each form."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from sandbox.copper import API_KEY, USER_EMAIL, CopperSandbox, Shape, copper_app
from sandbox.server import running

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

Record: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[str, ...]

STREAM, ADDED, RETYPED, NEW_TYPE = "people", "custom_colour", "custom_score", "custom_score_text"
#: Loaded by a key of several columns.
COMPOSITE = ("activity_types", "people__emails")
_SHAPE = Shape(people=60, companies=12, opportunities=6, leads=6, projects=4, tasks=6, activities=12, custom_fields=28)
#: Beyond 2^53, and with more digits than a double has.
_LARGE = (b"9007199254740993", b"12345678901234567.89")
_NUMBERS = (b"0.1", b"-0.000001", b"4.5")
_TEXTS = (
    "",
    "\\N",
    "null",
    "a\tb\nc\r\nd",
    "'single' \"double\" `back` \\",
    "a,b;c|d",
    " blank ",
    "🦊 Größe 顧客",
    "0012",
)
#: Days before 1970, and the first of another century.
_DATES = (-86_400, -3_155_673_600, 0, 1_789_000_000)
_DECODER = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


@dataclass
class Loads:
    """What three runs wrote, and what a loader should hold after the last one.

    Attributes:
        runs: the messages of each run.
        schemas: what the last run told of each stream.
        truth: the last record of each key, by stream.
        gone: the keys of people that were deleted before the last run.
        before: the values of the retyped column in the first run.
    """

    runs: list[bytes] = field(default_factory=list)
    schemas: dict[str, Record] = field(default_factory=dict)
    truth: dict[str, dict[Key, Record]] = field(default_factory=dict)
    gone: set[Key] = field(default_factory=set)
    before: dict[Key, Any] = field(default_factory=dict)

    def take(self, messages: bytes) -> dict[str, Any]:
        """Take what a run wrote; returns its last state."""
        self.runs.append(messages)
        state: dict[str, Any] = {}
        for line in messages.splitlines():
            message = _DECODER.decode(line)
            if message["type"] == "SCHEMA":
                self.schemas[message["stream"]] = message
            elif message["type"] == "RECORD":
                record = message["record"]
                key = tuple(str(record[name]) for name in self.schemas[message["stream"]]["key_properties"])
                self.truth.setdefault(message["stream"], {})[key] = record
            elif message["type"] == "STATE":
                state = message["value"]
        return state


def load(folder: Path, settings: Mapping[str, Any], *, large: bool) -> Loads:
    """Return three runs on one account: the first, one after changes, and one that finds what was deleted.

    Args:
        folder: for config and states.
        settings: of the tap, beside the account's.
        large: whether there are numbers that a double does not hold.
    """
    app = copper_app(_SHAPE, rate_limit=0)
    _make_odd(app, [*_NUMBERS, *(_LARGE if large else ())])
    loads = Loads()
    with running(app) as url:
        config: dict[str, Any] = {"provider": "copper", "api_key": API_KEY, "user_email": USER_EMAIL, "api_url": url}
        config |= {"requests_per_minute": 0, "child_tables": ["emails"], **settings}
        read = reader(folder, config)
        state = loads.take(read({}, None))
        loads.before = {key: record.get(RETYPED) for key, record in loads.truth[STREAM].items()}
        _change(app)
        state = loads.take(read({}, state))
        loads.gone = {(str(number),) for number in app.account.delete(STREAM, count=5)}
        loads.take(read({"reconcile": "true"}, state))
    for key in loads.gone:
        del loads.truth[STREAM][key]
    return loads


def reader(folder: Path, config: Mapping[str, Any]) -> Callable[[Mapping[str, Any], Any], bytes]:
    """Return what runs the tap with further settings, from a state, and returns its messages."""

    def read(more: Mapping[str, Any], state: Any) -> bytes:  # noqa: ANN401 - JSON
        file, kept = folder / "config.json", folder / "state.json"
        file.write_text(json.dumps({**config, **more}))
        command = [sys.executable, "-m", "tap_crm", "--config", str(file)]
        if state is not None:
            kept.write_text(json.dumps(state))
            command += ["--state", str(kept)]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout

    return read


def _field(app: CopperSandbox, label: str, kind: str) -> int:
    definitions = app.account.records("custom_field_definitions")
    return next(int(one["id"]) for one in definitions if (one["name"], one["data_type"]) == (label, kind))


def _make_odd(app: CopperSandbox, numbers: Sequence[bytes]) -> None:
    """Give each person another odd text, number and date."""
    score, budget = _field(app, "Score", "Float"), _field(app, "Budget", "Currency")
    text, day = _field(app, "Background", "Text"), _field(app, "Birthday", "Date")
    for at, person in enumerate(app.account.records(STREAM)):
        entries = [
            {"custom_field_definition_id": score, "value": at / 4},
            {"custom_field_definition_id": budget, "value": msgspec.Raw(numbers[at % len(numbers)])},
            {"custom_field_definition_id": text, "value": _TEXTS[at % len(_TEXTS)]},
            {"custom_field_definition_id": day, "value": _DATES[at % len(_DATES)]},
        ]
        app.account.edit(STREAM, ids=[person["id"]], changes={"custom_fields": entries, "details": _TEXTS[-1 - at % 9]})


def _change(app: CopperSandbox) -> None:
    """Add a field that all have, give one another kind, edit half of the people, create some."""
    time.sleep(1.1)  # runs within one second would share it
    app.account.add_field("Colour", "Dropdown", options=["red", "green"], fill=True)
    app.account.change("retype_field", {"id": _field(app, "Score", "Float"), "data_type": "String"})
    people = [person["id"] for person in app.account.records(STREAM)]
    app.account.edit(STREAM, ids=people[::2], changes={"details": "edited"})
    app.account.create(STREAM, count=3)
    app.account.edit(STREAM, ids=people[:2], changes={"emails": []})
