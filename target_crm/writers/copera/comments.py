"""Comments on rows: made, found and read; no route changes one (developer.copera.ai: row comments)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_crm import errors
from tap_crm.providers.copera.per_row import row_comments
from tap_crm.transport.question import Question
from target_crm.contract import NEW, NotTaken, Snapshot, Written
from target_crm.writers.copera.answers import comment_of, when
from target_crm.writers.copera.kinds import ID, same_id
from target_crm.writers.copera.objects import COMMENTS
from target_crm.writers.copera.place import row_path

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping, Sequence

    from target_crm.contract import Answer, Field, Id, Write
    from target_crm.writers.copera.reading import Rows
    from target_crm.writers.definitions import Ask, Definitions

Place = tuple[str, str, str]


class Comments:
    """Comments. What the target calls the id of one is its place: board, table, row and comment.

    Args:
        ask: asks the CRM.
        rows: finds the table of a row.
        definitions: for the tap's own way to read comments.
    """

    def __init__(self, ask: Ask, rows: Rows, definitions: Definitions) -> None:
        self._ask = ask
        self._rows = rows
        self._definitions = definitions
        self._said: dict[str, MutableMapping[Field, Any]] = {}

    def remember(self, wanted: MutableMapping[Field, Any]) -> None:
        """Remember what a record says of the comment whose id it has: an id alone does not tell the row."""
        key = _named(wanted).get("_id")
        if key is not None:
            self._said[str(key)] = wanted

    def read(self, ids: Sequence[Id]) -> dict[Id, Snapshot]:
        """Return the comments with these ids, or places."""
        found: dict[Id, Snapshot] = {}
        listed: dict[Place, dict[str, Snapshot]] = {}
        for key in ids:
            place, comment = self._place_of(str(key))
            if place is None:
                continue
            if place not in listed:
                listed[place] = {str(one.id).rsplit("/", 1)[1]: one for one in self._of(place)}
            if comment in listed[place]:
                found[key] = listed[place][comment]
        return found

    def find(
        self, fields: Sequence[Field], wanted: Sequence[tuple[Any, ...]], said: Sequence[Mapping[Field, Any]]
    ) -> list[Sequence[Snapshot]]:
        """Return for each tuple of values the comments that have them, on the row that the record names."""
        found: list[Sequence[Snapshot]] = []
        for values, record in zip(wanted, said, strict=True):
            place = self._place(record)
            here = [] if place is None else self._of(place)
            found.append([one for one in here if _has(one, fields, values)])
        return found

    def create(self, write: Write) -> Answer:
        """Comment on a row."""
        place = self._place(write.values)
        if place is None:
            return NotTaken("no table that the token sees has this row")
        body = {
            field.api_name: field.kind.write(value)
            for field, value in write.values.items()
            if field.kind is not None and field.name in ("content", "visibility")
        }
        question = Question("POST", f"{row_path(*place)}/comment", f"{COMMENTS}: POST", body=body, writes=True)
        comment = self._ask(question, comment_of)
        made = _snapshot(place, comment)
        return Written(made.id, made)

    def _place_of(self, key: str) -> tuple[Place | None, str]:
        parts = key.split("/")
        if len(parts) == 4:  # noqa: PLR2004 - a place that this target has told
            return (parts[0], parts[1], parts[2]), parts[3]
        said = self._said.get(key)
        return (None if said is None else self._place(said)), key

    def _place(self, said: Mapping[Field, Any]) -> Place | None:
        by_name = _named(said)
        row = by_name.get("row")
        if row is None or str(row).startswith(NEW) or not ID.fullmatch(str(row)):
            return None
        row = same_id(str(row))
        given = by_name.get("board"), by_name.get("table")

        def look() -> Place | None:
            table = self._rows.table_of_row(str(row), given)
            return None if table is None else (table.record["board"], table.record["_id"], str(row))

        return self._definitions.once_per_run.get(("row", str(row)), look)

    def _of(self, place: Place) -> list[Snapshot]:
        board, table, row = place
        found: list[dict[str, Any]] = []
        reading = self._definitions.reading(COMMENTS, found.extend)
        try:
            found += row_comments(reading, {"board": board, "table": table, "row": row})
        except errors.NotThere:
            return []
        return [_snapshot(place, one) for one in found]


def _snapshot(place: Place, comment: Mapping[str, Any]) -> Snapshot:
    board, table, row = place
    values = {**comment, "board": board, "table": table, "row": row}
    key = f"{board}/{table}/{row}/{comment['_id']}"
    return Snapshot(key, values, when(comment, "updatedAt"), when(comment, "createdAt"))


def _named(said: Mapping[Field, Any]) -> dict[str, Any]:
    return {field.name: value for field, value in said.items()}


def _has(record: Snapshot, fields: Sequence[Field], values: tuple[Any, ...]) -> bool:
    return all(
        field.kind is not None and field.kind.holds(field.value_in(record.values), value)
        for field, value in zip(fields, values, strict=True)
    )
