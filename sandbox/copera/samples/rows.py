"""Makes the rows of tables, as JSON at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from sandbox import sample_texts
from sandbox.copera.derived_cells import amount_column, derived, done_options
from sandbox.copera.moments import object_id, text_of
from sandbox.copera.samples.cells import Pool, values
from sandbox.copera.schema import DERIVED, BoardTable, Column, Row
from sandbox.copera.shape import stamps

if TYPE_CHECKING:
    from random import Random

    from sandbox.copera.shape import Shape

Links: TypeAlias = dict[str, dict[str, list[str]]]
Linkers: TypeAlias = dict[str, set[str]]

_SHARES = {"Leads": 3.0, "People": 3.0, "Companies": 2.0, "Deals": 2.0, "Empty": 0.0, "Big": 0.0}
_STAMPED = ("AUTONUMBER", "CREATED_AT", "UPDATED_AT", "CREATED_BY", "LAST_MODIFIED_BY")
_TEMPLATES = 97
_encode = msgspec.json.encode


@dataclass(slots=True)
class Origin:
    """When a row was made and changed, and by whom."""

    created: int
    updated: int
    owner: str


class Builder:
    """Makes rows of one table; pools of cells are made once."""

    def __init__(self, table: BoardTable, shape: Shape, members: list[str], rng: Random) -> None:
        self.table = table
        self.rng = rng
        self.shape = shape
        self.name = table.first("TEXT")
        self.amount = amount_column(table)
        self.status = table.first("STATUS")
        self.done = done_options(self.status) if self.status else []
        self.pools: list[tuple[Column, Pool | None]] = [
            (
                column,
                None
                if column.type in DERIVED or column.type in _STAMPED or column is self.name
                else Pool(column, values(column, shape, members, rng), empties=column.type != "PASSWORD"),
            )
            for column in table.columns
        ]
        self.names = [*sample_texts.FIRST_NAMES, *sample_texts.COMPANY_WORDS, *sample_texts.DEALS]

    def row(self, row_id: str, number: int) -> Row:
        """Begin a row: its id and what others show as its name."""
        display = f"{self.names[int(self.rng.random() * len(self.names))]} {number}"
        return Row(row_id, number, "" if number % 97 == 96 else display)  # noqa: PLR2004

    def fill(self, row: Row, origin: Origin) -> None:
        """Write a row's JSON without its derived cells; those are added by `finish`."""
        random = self.rng.random
        parts: list[bytes] = []
        for column, pool in self.pools:
            if pool is not None:
                place = int(random() * len(pool.cells))
                parts.append(pool.cells[place])
                if column is self.amount:
                    row.amount = pool.values[place]
                elif column is self.status:
                    row.done = pool.values[place] in self.done
            elif column is self.name:
                parts.append(b"," + _encode({"columnId": column.id, "value": row.display}))
            elif column.type in _STAMPED:
                parts.append(b"," + _encode({"columnId": column.id, "value": _stamped(column.type, row, origin)}))
        row.raw = self.head(row, origin) + b"".join(parts)[1:]

    def finish(self, row: Row, links: dict[str, list[str]], rows: dict[str, Row]) -> None:
        """Add the derived cells, once every row is begun and filled."""
        parts = [row.raw]
        for column, _ in self.pools:
            if column.type in DERIVED and (cell := derived(column, row, links, rows)):
                parts.append(b"," + _encode(cell))
        if self.rng.random() < self.shape.stray_cells:
            parts.append(
                b"," + _encode({"columnId": object_id(self.table.created - 9_000, self.rng), "value": "stray"}),
            )
        body = b"".join(parts)
        row.raw = body.replace(b'"columns":[,', b'"columns":[', 1) + b"]}"

    def head(self, row: Row, origin: Origin) -> bytes:
        """Write a row up to its cells."""
        table = self.table
        text = (
            f'{{"_id":"{row.id}","rowId":{row.number},"owner":"{origin.owner}","table":"{table.id}","board":"{table.board}"'
            f',"createdAt":"{text_of(origin.created)}","updatedAt":"{text_of(origin.updated)}"'
        )
        described = b""
        if row.number % 10 == 3:  # noqa: PLR2004
            described = b',"description":' + _encode(sample_texts.NOTES[row.number // 10 % len(sample_texts.NOTES)])
        return text.encode() + described + b',"columns":['


def _stamped(kind: str, row: Row, origin: Origin) -> object:
    if kind == "AUTONUMBER":
        return row.number
    if kind.endswith("BY"):
        return origin.owner
    return text_of(origin.created if kind == "CREATED_AT" else origin.updated)


def counts(tables: list[BoardTable], shape: Shape) -> list[int]:
    """Say how many rows each table gets; ValueError for a name that no table has."""
    if isinstance(shape.rows, dict):
        unknown = set(shape.rows) - {one.name for one in tables}
        if unknown:
            raise ValueError(f"no such tables: {', '.join(sorted(unknown))}")
        return [shape.rows.get(one.name, 0) for one in tables]
    shares = [0.2 if one.name.startswith("Wide") else _SHARES.get(one.name, 1.0) for one in tables]
    shared = [int(shape.rows * share / sum(shares)) for share in shares]
    shared[0] += shape.rows - sum(shared)
    return shared


def fill(tables: list[BoardTable], shape: Shape, members: list[str], rng: Random) -> tuple[dict[str, Row], Linkers]:
    """Make the rows of all tables; gives them by id, and for each the ids of the rows that link to it."""
    rows: dict[str, Row] = {}
    origins: dict[str, Origin] = {}
    builders = [Builder(table, shape, members, rng) for table in tables]
    for builder, count in zip(builders, counts(tables, shape), strict=True):
        table = builder.table
        for created, updated in stamps(count, shape, rng, shape.tie_block if table.name == "Leads" else 0):
            table.last_number += 1 + (rng.random() < 0.02)  # noqa: PLR2004
            row = builder.row(object_id(created, rng), table.last_number)
            table.rows[row.id] = rows[row.id] = row
            origins[row.id] = Origin(created, updated, members[int(rng.random() * len(members))])
    links, linkers = _linked(tables, rng)
    for builder in builders:
        for row_id, row in builder.table.rows.items():
            builder.fill(row, origins[row_id])
    for builder in builders:
        kinds = [one.id for one in builder.table.columns if one.type == "LINK"]
        for row_id, row in builder.table.rows.items():
            own = {column: links[column].get(row_id, []) for column in kinds}
            builder.finish(row, own, rows)
        if builder.table.name == "Big" and shape.big_table:
            fill_big(builder, shape.big_table, members, rows)
    return rows, linkers


def _linked(tables: list[BoardTable], rng: Random) -> tuple[Links, Linkers]:
    """Draw the links of every row, both sides of a relation at once."""
    by_id = {one.id: one for one in tables}
    links: Links = {column.id: {} for one in tables for column in one.columns if column.type == "LINK"}
    linkers: Linkers = {}
    for table in tables:
        for column in table.columns:
            if column.type != "LINK" or not column.own or not column.target:
                continue
            targets = list(by_id[column.target].rows)
            if targets:
                _draw(column, list(table.rows), targets, (links, linkers), rng)
    return links, linkers


def _draw(column: Column, own: list[str], targets: list[str], into: tuple[Links, Linkers], rng: Random) -> None:
    links, linkers = into
    here, there = links[column.id], links.get(column.mirror, {})
    for row_id in own:
        draw = rng.random()
        count = 0 if draw < 0.2 else 1 if draw < 0.8 else 3  # noqa: PLR2004
        chosen = list(dict.fromkeys(targets[int(rng.random() * len(targets))] for _ in range(count)))
        here[row_id] = chosen
        for one in chosen:
            linkers.setdefault(one, set()).add(row_id)
            if column.mirror:
                there.setdefault(one, []).append(row_id)
                linkers.setdefault(row_id, set()).add(one)


def fill_big(builder: Builder, wanted: int, members: list[str], rows: dict[str, Row]) -> None:
    """Add rows until their JSON has so many bytes; they share the ends of their JSON, so memory stays small."""
    table, rng = builder.table, builder.rng
    kept = [pool for column, pool in builder.pools[1:] if pool and column.type != "DESCRIPTION"]
    text = next(column for column in table.columns if column.type == "DESCRIPTION")
    filler = b"," + _encode({"columnId": text.id, "value": "ünïcode text " * 80})
    tails = [
        b"".join(pool.cells[int(rng.random() * len(pool.cells))] for pool in kept) + filler + b"]}"
        for _ in range(_TEMPLATES)
    ]
    made, latest = 2, (builder.shape.now - 86_400) * 1_000
    while made < wanted:
        table.last_number += 1
        created = latest - table.last_number * 7
        row = builder.row(object_id(created, rng), table.last_number)
        origin = Origin(created, created, members[table.last_number % len(members)])
        name = _encode({"columnId": table.columns[0].id, "value": row.display})
        row.raw = builder.head(row, origin) + name
        row.tail = tails[table.last_number % _TEMPLATES]
        table.rows[row.id] = rows[row.id] = row
        made += row.size + 1
