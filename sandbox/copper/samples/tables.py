"""Makes the tables of an account, one of each searchable object."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from sandbox.copper.samples import activities, companies, leads, opportunities, people, projects, tasks
from sandbox.copper.samples.random_values import RandomValues
from sandbox.copper.shape import YEARS_3, Shape, timestamps
from sandbox.copper.table import HIDDEN, LIVING, Row, Table
from sandbox.exchange import Record
from sandbox.garbage_collection import paused

if TYPE_CHECKING:
    from random import Random

Maker: TypeAlias = Callable[[RandomValues, int, int, int], Record]

MAKERS: dict[str, Maker] = {
    "people": people.person,
    "companies": companies.company,
    "leads": leads.lead,
    "opportunities": opportunities.opportunity,
    "projects": projects.project,
    "tasks": tasks.task,
    "activities": activities.activity,
}
INDEXED = dict.fromkeys(MAKERS, ("date_modified", "date_created")) | {"activities": ("activity_date",)}

_encode = msgspec.json.Encoder().encode
_DAY = 86_400


def row_of(name: str, record: Record) -> Row:
    """Encode a record and note what searches need of it."""
    kind = HIDDEN if record.get("converted_at") is not None else LIVING
    keys = tuple(record[attribute] for attribute in INDEXED[name])
    return Row(record["id"], keys, _encode(record), kind)


def tables(source: RandomValues) -> dict[str, Table]:
    """Make every searchable object."""
    conversions = _Conversions(source)
    made = {}
    with paused():
        for name in MAKERS:
            table = Table(name, INDEXED[name])
            table.last_id = source.ids[name].first
            table.load(_rows(name, source, conversions))
            made[name] = table
    return made


def _rows(name: str, source: RandomValues, conversions: _Conversions) -> Iterator[Row]:
    ids, make = source.ids[name], MAKERS[name]
    for place, (created, modified) in enumerate(_stamps(name, source.shape, source.rng)):
        record = make(source, ids.at(place), created, modified)
        if name in ("leads", "people", "opportunities"):
            conversions.apply(name, place, record)
        if name == "opportunities" and place < source.shape.odd_close_dates:
            record["close_date"] = opportunities.odd_close_date(place)
        elif name == "activities" and place < source.shape.future_activities:
            record["activity_date"] = source.shape.now + (place + 1) * 20 * _DAY
        yield row_of(name, record)


def _stamps(name: str, shape: Shape, rng: Random) -> list[tuple[int, int]]:
    count = int(getattr(shape, name))
    block = min(shape.tie_block, count) if name == "people" else 0
    rest = count - block
    second = shape.now - 600 - rng.randrange(YEARS_3)
    made = timestamps(rest, int(rest * shape.tie_fraction), shape, rng) + [(second, second)] * block
    if block:
        rng.shuffle(made)
    return made


class _Conversions:
    """Which leads became which people and opportunities."""

    def __init__(self, source: RandomValues) -> None:
        shape = source.shape
        count = min(int(shape.leads * shape.converted_leads), shape.people, shape.leads)
        self.leads = source.rng.sample(range(shape.leads), count)
        self.place_of = {
            "leads": {place: n for n, place in enumerate(self.leads)},
            "people": {place: n for n, place in enumerate(source.rng.sample(range(shape.people), count))},
            "opportunities": dict(enumerate(range(min(count // 2, shape.opportunities)), 0)),
        }
        self.person_of = {n: place for place, n in self.place_of["people"].items()}
        self.when = [shape.now - 600 - source.rng.randrange(YEARS_3 // 6) for _ in range(count)]
        self.source = source

    def apply(self, name: str, place: int, record: Record) -> None:
        """Write a conversion into the lead, person or opportunity that it touched."""
        n = self.place_of[name].get(place)
        if n is None:
            return
        if name == "people":
            self.when[n] = max(self.when[n], record["date_created"])
        when = self.when[n]
        record["date_created"] = min(record["date_created"], when)
        ids = self.source.ids
        if name == "leads":
            record["date_modified"] = max(record["date_modified"], when)
            record["converted_at"] = when
            record["converted_contact_id"] = ids["people"].at(self.person_of[n])
            if n in self.place_of["opportunities"]:
                record["converted_opportunity_id"] = ids["opportunities"].at(n)
            return
        lead_id = ids["leads"].at(self.leads[n])
        record["leads_converted_from"] = [{"lead_id": lead_id, "converted_timestamp": when}]
        record["date_lead_created"] = record["date_created"] - _DAY
