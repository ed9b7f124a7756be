"""Custom field definitions of every kind, and values for them (custom-fields/general)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from sandbox.sample_texts import CUSTOM_FIELD_NAMES

if TYPE_CHECKING:
    from random import Random

    from sandbox.exchange import Record

SINGULAR = {
    "people": "person",
    "companies": "company",
    "leads": "lead",
    "opportunities": "opportunity",
    "projects": "project",
    "tasks": "task",
}
TEXT_KINDS = ("String", "Text", "URL")
OPTION_KINDS = ("Dropdown", "MultiSelect")
KINDS = (*TEXT_KINDS, *OPTION_KINDS, "Date", "Checkbox", "Float", "Percentage", "Currency", "Connect")

_DAY = 86_400
_TEXTS = ("", "Zoë's 🥾 size", "two\nlines", '"quoted"', "0042", "1e5", "true", "x" * 300)
_VARIANTS = 64
_LAYOUTS = 150
_EVERYWHERE = frozenset({*range(10), *range(24, len(CUSTOM_FIELD_NAMES))})
"""Places of definitions that every object has: of every kind, and those whose names collide with others."""


def definitions(count: int, rng: Random) -> list[Record]:
    """Make that many definitions; the first twelve cover every data type."""
    made = []
    for place in range(count):
        turn, which = divmod(place, len(CUSTOM_FIELD_NAMES))
        name, data_type = CUSTOM_FIELD_NAMES[which]
        made.append(_definition(place, f"{name} {turn + 1}" if turn else name, data_type, rng))
    connects = [one for one in made if one["data_type"] == "Connect"]
    for near, far in zip(connects[::2], connects[1::2], strict=False):
        near["connected_id"], far["connected_id"] = far["id"], near["id"]
    return made


def _definition(place: int, name: str, data_type: str, rng: Random) -> Record:
    kinds = list(SINGULAR.values())
    available = kinds if place in _EVERYWHERE else rng.sample(kinds, rng.randint(2, 6))
    if data_type == "Connect":
        available = ["company", "user"] if name.startswith("Partner people") else ["person"]
    name = name[:200].ljust(200, ".") if len(name) > 150 else name  # noqa: PLR2004
    first = 700_000 + 40 * place
    names = ("California", "Bayern", "中部", "", "A & B", "A & B", "Zug", "None")
    options = [{"id": first + rank * 2, "name": option, "rank": rank} for rank, option in enumerate(names)]
    return definition_record(126_240 + 3 * place, name, data_type, available, options=options)


def definition_record(  # noqa: PLR0913  (a definition has that many parts)
    number: int, name: str, data_type: str, available_on: list[str], *, options: list[Record], currency: str = "USD"
) -> Record:
    """Give a definition with the keys that its kind has; those of other kinds are really absent."""
    definition: Record = {
        "id": number,
        "name": name,
        "data_type": data_type,
        "available_on": available_on,
        "is_filterable": data_type not in TEXT_KINDS,
    }
    if data_type == "Currency":
        definition["currency"] = currency
    if data_type in OPTION_KINDS:
        definition["options"] = options
    return definition


@dataclass(slots=True)
class ValueSource:
    """Draws the `custom_fields` of records of one object; entries are encoded already."""

    layouts: list[list[list[msgspec.Raw]]]
    rng: Random

    def draw(self) -> list[msgspec.Raw]:
        """Some of the definitions, in some order, with a value each."""
        random = self.rng.random
        layout = self.layouts[int(random() * len(self.layouts))]
        return [entries[int(random() * len(entries))] for entries in layout]


def value_sources(made: list[Record], companies: list[int], people: list[int], rng: Random) -> dict[str, ValueSource]:
    """Prepare values of every definition for every object; Connect values are ids of the other end."""
    pools = {
        one["id"]: [msgspec.Raw(msgspec.json.encode(entry(one, companies, people, rng))) for _ in range(_VARIANTS)]
        for one in made
    }
    return {
        name: ValueSource(_layouts([pools[one["id"]] for one in made if kind in one["available_on"]], rng), rng)
        for name, kind in SINGULAR.items()
    }


def _layouts(pools: list[list[msgspec.Raw]], rng: Random) -> list[list[list[msgspec.Raw]]]:
    """Choose definitions in some order, many times; one layout is empty."""
    least = (len(pools) * 2 + 2) // 3
    return [[], *(rng.sample(pools, rng.randint(least, len(pools))) for _ in range(_LAYOUTS) if pools)]


def entry(definition: Record, companies: list[int], people: list[int], rng: Random) -> Record:
    """Draw what a record holds of a definition."""
    targets = companies if definition["available_on"] == ["person"] else people
    return {"custom_field_definition_id": definition["id"], "value": value(definition, targets, rng)}


def value(definition: Record, targets: list[int], rng: Random) -> object:  # noqa: PLR0911
    """Draw a value of a definition's kind (section "Custom fields")."""
    kind = definition["data_type"]
    if kind == "Checkbox":
        return rng.random() < 0.3  # noqa: PLR2004
    if kind == "MultiSelect":
        options = definition["options"]
        return [one["id"] for one in rng.sample(options, rng.randint(0, min(4, len(options))))]
    if kind == "Connect":
        return rng.sample(targets, min(len(targets), rng.randint(0, 2))) or None
    if rng.random() < 0.15:  # noqa: PLR2004
        return None
    if kind == "Dropdown":
        return rng.choice(definition["options"])["id"] if definition["options"] else None
    if kind == "Date":
        return rng.randint(-30 * 365, 60 * 365) * _DAY
    if kind == "Percentage":
        return rng.randint(0, 100)
    if kind in ("Float", "Currency"):
        return rng.choice((567.0, 0.0, -12.5, round(rng.uniform(0, 1e6), 2), 9_007_199_254_740_992.0))
    if kind == "URL":
        return f"https://example.com/{rng.randint(1, 999)}?q=ä%20b"
    return rng.choice(_TEXTS) if rng.random() < 0.3 else f"{kind} {rng.randint(1, 9_999)}"  # noqa: PLR2004


def with_computed(record: Record, made: dict[int, Record]) -> None:
    """Add the option names beside the option ids (note "computed custom field values")."""
    for held in record.get("custom_fields") or ():
        definition = made.get(held["custom_field_definition_id"])
        if definition is None or definition["data_type"] not in OPTION_KINDS:
            continue
        names = {one["id"]: one["name"] for one in definition["options"]}
        chosen = held["value"]
        if isinstance(chosen, list):
            held["computed_value"] = [names.get(one) for one in chosen]
        else:
            held["computed_value"] = names.get(chosen)
