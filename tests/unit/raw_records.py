"""Records as an API may send them, made from a stream's schema: what fits, what nearly fits, and what does not."""
# ruff: noqa: ANN401 - values may be anything, that is the point

from __future__ import annotations

import json
import string
from dataclasses import dataclass
from decimal import Decimal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import msgspec
from hypothesis import strategies as st

from tap_crm.contract.once_per_run import OncePerRun
from tap_crm.providers.close import custom_fields as close
from tap_crm.providers.copper import custom_fields as copper
from tap_crm.providers.copper.entries import Entries
from tap_crm.shaping.conform import RecordConformer
from tap_crm.shaping.custom.columns import CustomColumns
from tap_crm.shaping.custom.fields import columns_of
from tap_crm.shaping.custom.layouts import Prefixed
from tap_crm.shaping.schema import EXTRA, is_free_form, is_json_text, json_types, load_schema, schema_directory

if TYPE_CHECKING:
    from tap_crm.contract.stream import Reading
    from tap_crm.shaping.custom.fields import CustomField
    from tap_crm.shaping.custom.layouts import Layout
    from tap_crm.shaping.custom.values import CustomValues

#: A schema with whatever a file may declare, at every depth, so that the shapers are not tied to Copper's files.
EVERYTHING: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "when": {"type": ["string", "null"], "format": "date-time"},
        "day": {"type": ["string", "null"], "format": "date"},
        "amount": {"type": ["number", "null"]},
        "flag": {"type": ["boolean", "null"]},
        "anything": {"type": ["string", "integer", "number", "boolean", "array", "object", "null"]},
        "as_text": {"type": ["string", "null"], "contentMediaType": "application/json"},
        "free_object": {"type": ["object", "null"], "properties": {}},
        "free_list": {"type": ["array", "null"], "items": {}},
        "times": {"type": ["array", "null"], "items": {"type": ["string", "null"], "format": "date-time"}},
        "days": {"type": ["array", "null"], "items": {"type": ["string", "null"], "format": "date"}},
        "amounts": {"type": ["array", "null"], "items": {"type": ["number", "null"]}},
        "nested": {
            "type": ["object", "null"],
            "properties": {
                "when": {"type": ["string", "null"], "format": "date-time"},
                "amount": {"type": ["number", "null"]},
                "as_text": {"type": ["string", "null"], "contentMediaType": "application/json"},
            },
        },
        "plain_nested": {
            "type": ["object", "null"],
            "properties": {
                "count": {"type": ["integer", "null"]},
                "names": {"type": ["array", "null"], "items": {"type": ["string", "null"]}},
                "flag": {"type": ["boolean", "null"]},
                "value": {"type": ["string", "object", "null"]},
            },
        },
        EXTRA: {"type": ["object", "null"], "properties": {}, "additionalProperties": True},
    },
}


def all_schemas() -> dict[str, dict[str, Any]]:
    """Return the schema of every Copper stream, and the one that has everything."""
    names = sorted(path.name.removesuffix(".json") for path in (schema_directory() / "copper").iterdir())
    found = {name: load_schema("copper", name) for name in names if not name.startswith("_")}
    return {**found, "everything": EVERYTHING}


#: Of how many optional fields a record has some: all of a large schema would only be slow.
FIELDS = 4
NOTHING_NEW: list[dict[str, Any]] = [{}, {EXTRA: {"theirs": 1}}, {EXTRA: "text"}]

WORDS = (
    *("", " ", "null", "NULL", "Nancy", "information", "nan", "Infinity", "-inf", "sNaN1", "1_000", "true", "FALSE"),
    *("yes", "0", "1", "-7", "5.0", "1e3", " 12 ", "١٢", "2026-01-02", "1/31/2026", "31/1/2026", "\u2028🙂", "a\nb"),
)
TEXTS = st.text(max_size=12) | st.sampled_from(WORDS)
BIG_INTEGERS = st.integers(-(10**40), 10**40) | st.sampled_from([2**53 + 1, 2**63, -(2**63), 2**64, 10**15, 10**15 + 1])
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9) | (
    st.sampled_from([Decimal(text) for text in ("0.1", "5.0", "1E+3", "-0.0", "1E-7", "9007199254740993.0", "1E+400")])
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | BIG_INTEGERS | DECIMALS | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=5,
)
#: From nine digits on, an epoch is nothing else.
SURE_EPOCHS = st.integers(200_000_000, 2_000_000_000)
EPOCHS = st.integers(-62_135_596_800, 253_402_300_799) | st.integers(0, 2_000_000_000)
ISO_TEXTS = st.builds(
    "{}-{:02}-{:02}{}{:02}:{:02}:{:02}{}{}".format,
    st.sampled_from(["0001", "1969", "2026", "9999"]),
    st.integers(1, 12),
    st.integers(1, 28),
    st.sampled_from(["T", "T", " ", "t"]),
    st.integers(0, 23),
    st.integers(0, 59),
    st.integers(0, 60),
    st.sampled_from(["", ".5", ".123", ".123456", ".1234567"]),
    st.sampled_from(["Z", "Z", "+00:00", "-00:00", "+02:00", "-11:30", "", "+0530"]),
)
MOMENTS = (
    EPOCHS
    | st.decimals(min_value=-(10**9), max_value=10**10, allow_nan=False, places=7)
    | EPOCHS.map(str)
    | ISO_TEXTS
    | st.sampled_from(["null", "1/31/2026", "31/1/2026", "2026-01-02", 10**12, 253_402_300_800, -62_135_596_801])
)


def plain(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Return values as the API documents them: the fast path must take these."""
    return _values(schema, careful=False)


def odd(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Return values of every kind: mostly fitting, also in other forms than documented, or not fitting at all."""
    return _values(schema, careful=True)


def _values(schema: dict[str, Any], *, careful: bool) -> st.SearchStrategy[Any]:
    fitting = _fitting(schema, careful=careful)
    return st.one_of(fitting, fitting, fitting, st.none(), JSON) if careful else st.none() | fitting


def _fitting(schema: dict[str, Any], *, careful: bool) -> st.SearchStrategy[Any]:  # noqa: PLR0911 - a table
    if is_json_text(schema) or is_free_form(schema):
        return JSON
    types = json_types(schema)
    if schema.get("format") in ("date-time", "date"):
        documented = SURE_EPOCHS if schema["format"] == "date-time" else st.sampled_from(["1/31/2026", "12/1/1999"])
        return MOMENTS if careful else documented
    if "string" in types:
        return TEXTS
    if "array" in types:
        return st.lists(_values(schema.get("items") or {}, careful=careful), max_size=3)
    if "object" in types:
        return _objects(schema, careful=careful)
    if "boolean" in types:
        return st.sampled_from([True, False, 0, 1, "true", "0"] if careful else [True, False])
    if "number" in types:
        return DECIMALS | BIG_INTEGERS | (DECIMALS.map(str) if careful else st.nothing())
    small = st.integers(-(10**15), 10**15)
    return small | BIG_INTEGERS | small.map(Decimal) | small.map(str) | DECIMALS if careful else small


def _objects(schema: dict[str, Any], *, careful: bool) -> st.SearchStrategy[dict[str, Any]]:
    properties = schema.get("properties") or {}
    known = {name: _values(part, careful=careful) for name, part in properties.items()}
    if not known:
        return st.dictionaries(TEXTS, JSON, max_size=3)
    declared = st.fixed_dictionaries({}, optional=known)
    return declared | st.builds(dict.__or__, declared, unknown_fields()) if careful else declared


def unknown_fields() -> st.SearchStrategy[dict[str, Any]]:
    """Return fields that no schema knows."""
    names = st.text(string.ascii_lowercase, min_size=12, max_size=12) | st.sampled_from(["Id", "namé", "new\nfield"])
    return st.dictionaries(names, JSON, max_size=2)


def records(schema: dict[str, Any], *, careful: bool = True) -> st.SearchStrategy[dict[str, Any]]:
    """Return whole records whose non-null fields, the keys, are sound: readings check that before."""
    required: dict[str, Any] = {}
    optional: dict[str, Any] = {}
    for name, part in schema["properties"].items():
        if name == EXTRA:
            continue
        if "null" in part.get("type", ()):
            optional[name] = odd(part) if careful else plain(part)
        else:
            required[name] = st.integers(1, 10**11) if part["type"] == "integer" else st.text(max_size=8)
    unknown = unknown_fields()

    @st.composite
    def a_record(draw: st.DrawFn) -> dict[str, Any]:
        chosen = draw(st.lists(st.sampled_from(sorted(optional)), unique=True, max_size=FIELDS)) if optional else []
        record = {name: draw(value) for name, value in required.items()}
        record |= {name: draw(optional[name]) for name in chosen}
        if careful:
            record |= draw(st.sampled_from(NOTHING_NEW)) or draw(unknown)
        return record

    return a_record()


def loads(text: bytes | str) -> Any:
    """Parse JSON with every number exact."""
    return json.loads(text, parse_float=Decimal)


def same(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are equal; true is not 1, 1.0 is."""
    if isinstance(one, bool) or isinstance(other, bool) or one is None or other is None:
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return bool(one == other)


# Custom fields: definitions as an API gives them, and the values that records have

#: Few different ones, so that columns meet each other and standard fields; long ones differ at their ends only.
FIELD_NAMES = (
    *("Region", "region", " REGION ", "Fields", "Fields 3", "Name", "名前", "", "2nd phone", "Größe (m²)"),
    *(f"{'long name ' * 8}{end}" for end in "ab"),
)
OPTION_NAMES = ("California", "Bayern", "", "A & B", "A & B", "42", "103", "中部")
COPPER_KINDS = (
    *("String", "Text", "URL", "Dropdown", "MultiSelect", "Date", "Checkbox", "Float", "Currency", "Percentage"),
    *("Connect", "Rocket", ""),
)
CLOSE_KINDS = (
    *("text", "textarea", "hidden", "url", "email", "number", "date", "datetime", "choices", "user", "contact"),
    *("custom_object", "rocket", ""),
)
COPPER_IDS = (3, 7, 33, 126_240, 126_243, 10**15)
#: Two of them differ in capitals only.
CLOSE_IDS = tuple(f"cf_{start * 38}{end}" for start in "Ab" for end in ("aaaaa", "AAAAA", "bbbbb"))
OPTION_IDS = tuple(range(100, 100 + len(OPTION_NAMES)))
CLOSE_PREFIX, ENTRIES, KEY = "custom.", "custom_fields", "custom_field_definition_id"

copper_definitions = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from(COPPER_IDS),
            "name": st.sampled_from(FIELD_NAMES) | st.text(max_size=70),
            "data_type": st.sampled_from(COPPER_KINDS),
            "available_on": st.just(["task"]),
            "options": st.lists(st.sampled_from(OPTION_IDS), unique=True).map(
                lambda ids: [{"id": key, "name": OPTION_NAMES[key - 100], "rank": key} for key in ids]
            ),
        }
    ),
    unique_by=lambda one: one["id"],
    max_size=len(COPPER_IDS),
)
close_definitions = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from(CLOSE_IDS),
            "name": st.sampled_from(FIELD_NAMES) | st.text(max_size=70),
            "type": st.sampled_from(CLOSE_KINDS),
            "accepts_multiple_values": st.booleans(),
            "choices": st.none() | st.lists(st.sampled_from(OPTION_NAMES)),
        }
    ),
    unique_by=lambda one: one["id"],
    max_size=len(CLOSE_IDS),
)


def _reading_of(once_per_run: OncePerRun) -> Reading:
    """Return a reading that finds the definitions as if another stream had asked for them before."""
    return cast("Reading", SimpleNamespace(once_per_run=once_per_run))


def copper_fields(definitions: list[dict[str, Any]]) -> list[CustomField]:
    """Return what the tap makes of Copper's definitions for tasks."""
    once_per_run = OncePerRun()
    once_per_run.get(copper.PATH, lambda: definitions)
    return copper.fields_of("task", _reading_of(once_per_run))[0]


def close_fields(
    definitions: list[dict[str, Any]], kind: str = "lead", common: list[dict[str, Any]] | None = None
) -> list[CustomField]:
    """Return what the tap makes of Close's definitions for one kind of record, and of those that kinds share."""
    once_per_run = OncePerRun()
    once_per_run.get(f"custom fields of {kind}", lambda: definitions)
    once_per_run.get(f"custom fields of {close.SHARED}", lambda: common or [])
    return close.fields_of(kind, _reading_of(once_per_run))[0]


def documented_values(field: CustomField) -> st.SearchStrategy[Any]:
    """Return values of a custom field as the API documents them: the fast path must take these."""
    kind = field.kind.partition(",")[0].lower()
    if field.kind.endswith("several values"):
        return st.lists(_documented_one(kind), max_size=3)
    if field.options is not None:
        option = st.sampled_from(sorted(field.options, key=str)) if field.options else st.just(999)
        return st.lists(option, unique=True, max_size=3) if kind == "multiselect" else option
    if kind == "checkbox":
        return st.booleans()
    if kind == "connect":
        return st.lists(st.integers(1, 10**9), max_size=2)
    if kind == "date" and field.kind[0] == "D":
        return st.integers(-30_000, 30_000).map(lambda days: days * 86_400)
    return _documented_one(kind)


def _documented_one(kind: str) -> st.SearchStrategy[Any]:
    if kind in ("number", "float", "currency", "percentage"):
        return st.integers(-(10**9), 10**9) | DECIMALS
    if kind == "date":
        return st.sampled_from(["2026-01-31", "1969-12-31"])
    if kind == "datetime":
        return st.sampled_from(["2026-01-31T10:11:12.345000+00:00", "2026-01-31T10:11:12"])
    return JSON if kind in ("rocket", "", "unknown") else st.text(max_size=8)


def odd_values(field: CustomField) -> st.SearchStrategy[Any]:
    """Return values of a custom field: mostly documented, also of unknown options, in other forms, or not fitting."""
    ids = st.sampled_from([100, 999, "101", "999", "California", "unknown", Decimal("102.0"), True, None])
    return st.one_of(documented_values(field), documented_values(field), MOMENTS, ids, st.lists(ids, max_size=3), JSON)


def copper_entries(fields: list[CustomField], *, careful: bool = True) -> st.SearchStrategy[Any]:
    """Return what a record of Copper has as ``custom_fields``."""
    values = odd_values if careful else documented_values
    entries: list[st.SearchStrategy[Any]] = [
        st.fixed_dictionaries({KEY: st.just(one.key), "value": st.none() | values(one)}) for one in fields
    ]
    # An id beyond 2**53 is no documented one, and needs the careful path where values are written as they come.
    undefined = st.fixed_dictionaries({KEY: st.sampled_from([5, 2**70 if careful else 2**40]), "value": JSON})
    if not careful:
        chosen = [*entries, undefined]
        return st.none() | st.lists(st.one_of(chosen), max_size=5, unique_by=lambda entry: entry[KEY])
    keys = st.sampled_from([*COPPER_IDS, *map(str, COPPER_IDS), "0007", "no id", "٣", True, None, Decimal("7.0"), -1])
    odd = st.builds(
        dict.__or__,
        st.fixed_dictionaries({}, optional={KEY: keys, "value": JSON}),
        st.dictionaries(st.sampled_from(["note", "values"]), JSON, max_size=1),
    )
    usual = st.lists(st.one_of([*entries, *entries, undefined, odd]), max_size=5)
    return st.one_of(usual, usual, usual, st.lists(JSON, max_size=2), JSON)


def close_entries(fields: list[CustomField], *, careful: bool = True) -> st.SearchStrategy[dict[str, Any]]:
    """Return the fields of a record of Close that are custom fields."""
    values = odd_values if careful else documented_values
    known = st.fixed_dictionaries(
        {},
        optional={f"{CLOSE_PREFIX}{one.key}": (st.none() | values(one)) if careful else values(one) for one in fields},
    )
    if not careful:
        return known
    names = st.sampled_from([CLOSE_PREFIX, *(f"{CLOSE_PREFIX}{key}" for key in (*CLOSE_IDS, "cf_gone", "cf_GONE"))])
    others = st.dictionaries(names, JSON, max_size=2)
    own = st.dictionaries(st.sampled_from(["custom", "custom_fields", EXTRA]), JSON, max_size=1)
    return st.builds(lambda one, two, three: {**two, **one, **three}, known, st.just({}) | others, st.just({}) | own)


@dataclass(frozen=True)
class CustomStream:
    """A stream with custom fields, as a run shapes it.

    Attributes:
        columns: what the account has of custom fields.
        known: the properties of the catalog.
    """

    columns: CustomColumns
    known: dict[str, dict[str, Any]]

    @classmethod
    def of(cls, provider: str, fields: list[CustomField], form: str = "columns", by: str = "name") -> CustomStream:
        """Return a stream whose catalog is of today."""
        own = _own_properties(provider)
        columns = CustomColumns(LAYOUTS[provider], form)
        if form != "raw":
            columns.fields = columns_of(fields, set(own), by=by)
        return cls(columns, columns.extend({"properties": own})["properties"])

    def now(self, other: CustomStream) -> CustomStream:
        """Return the stream with this catalog and the definitions of the other."""
        return CustomStream(other.columns, self.known)

    @property
    def everything(self) -> frozenset[str]:
        """All properties of the catalog."""
        return frozenset(self.known)

    @property
    def own(self) -> dict[str, Any]:
        """The schema without the columns of custom fields."""
        parts = {name: part for name, part in self.known.items() if not self.columns.owns(name, part)}
        return {"properties": parts}

    def values(self, wanted: frozenset[str] | None = None) -> CustomValues | None:
        """Return what reads the values; nothing does where they are emitted just as they come."""
        if self.columns.form == "raw" and self.columns.layout.is_raw_as_it_comes:
            return None
        return self.columns.values(self.known, self.everything if wanted is None else wanted, "mdy")

    def shaped(
        self, record: dict[str, Any], wanted: frozenset[str] | None = None, values: CustomValues | None = None
    ) -> dict[str, Any]:
        """Return what the careful path makes of a record, as a reader of the line sees it."""
        wanted = self.everything if wanted is None else wanted
        shaper = RecordConformer(self.own, wanted, "mdy", custom=values or self.values(wanted))
        raw = RECORDS.decode(ENCODER.encode([record]))[0]
        found: dict[str, Any] = loads(ENCODER.encode(shaper.conform(raw)))
        return found


def _own_properties(provider: str) -> dict[str, dict[str, Any]]:
    """Return some standard fields of a stream that has custom ones."""
    schema = load_schema(provider, STREAMS[provider])["properties"]
    return {name: schema[name] for name in ("id", "name", "date_created", ENTRIES, EXTRA)}


LAYOUTS: dict[str, Layout] = {"copper": Entries(), "close": Prefixed(CLOSE_PREFIX)}
STREAMS = {"copper": "tasks", "close": "custom_objects"}
ENCODER = msgspec.json.Encoder(decimal_format="number")
RECORDS = msgspec.json.Decoder(list[dict[str, Any]], float_hook=Decimal)


def custom_records(
    provider: str, fields: list[CustomField], *, careful: bool = True
) -> st.SearchStrategy[dict[str, Any]]:
    """Return records of such a stream."""
    when = odd if careful else plain
    own = {"name": TEXTS, "date_created": when(_own_properties("copper")["date_created"])}
    standard = st.fixed_dictionaries({"id": st.integers(1, 10**9) if provider == "copper" else TEXTS}, optional=own)
    if provider == "close":
        return st.builds(dict.__or__, standard, close_entries(fields, careful=careful))
    entries = copper_entries(fields, careful=careful)
    return st.builds(lambda one, two: {**one, **two}, standard, st.fixed_dictionaries({}, optional={ENTRIES: entries}))


def custom_fields_of(provider: str) -> st.SearchStrategy[list[CustomField]]:
    """Return custom fields as an account of the CRM may have them."""
    return copper_definitions.map(copper_fields) if provider == "copper" else close_definitions.map(close_fields)
