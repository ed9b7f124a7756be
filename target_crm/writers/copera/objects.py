"""The writable objects of Copera, as data: the rows of any table, and comments on rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_crm.config.nearest import did_you_mean
from tap_crm.errors import ConfigError
from tap_crm.providers.copera.streams import NAMES
from tap_crm.shaping.schema import DELETED_AT, EXTRA, load_schema
from target_crm.contract import CREATE, Field, ObjectSpec
from target_crm.kinds.html_text import HtmlWords
from target_crm.kinds.plain import Text, Word
from target_crm.writers.copera.columns import CELLS
from target_crm.writers.copera.kinds import RichText
from target_crm.writers.copera.place import RowReference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_crm.config.settings import StreamSettings

COMMENTS = "row_comments"
DESCRIPTION = "description"
#: Records that are found, read and compared together: a table is one answer, however many of it are asked for.
AT_ONCE = 1000
_INSTEAD = {
    "row_descriptions": ": write the field `description` of the table's own stream",
    "rich_text_cells": ": write the column of the table's own stream",
}


class Objects:
    """The objects; those of tables are made when a stream is named."""

    def __init__(self) -> None:
        self._comments = _comments()
        self._rows: dict[str, ObjectSpec] = {}
        #: By the object's name, board and table, where the settings say them; else None: the tap's stream says it.
        self.places: dict[str, Mapping[str, str] | None] = {}

    def spec(self, stream: str, settings: StreamSettings) -> ObjectSpec:
        """Return the object that a stream is written to.

        Raises:
            ConfigError: it is one that cannot be written.
        """
        place = settings.object if settings.object is not None else stream
        name = place if isinstance(place, str) else f"{place['board']}/{place['table']}"
        if name == COMMENTS:
            return self._comments
        if name in NAMES:
            raise ConfigError(
                f"the stream `{stream}` cannot be written: `{name}` is none of a table{_INSTEAD.get(name, '')}; "
                f"Copera's rows and `{COMMENTS}` can be written{did_you_mean(name, [COMMENTS])}"
            )
        if name not in self._rows:
            self._rows[name] = _rows(name)
            self.places[name] = None if isinstance(place, str) else place
        return self._rows[name]


def _rows(name: str) -> ObjectSpec:
    """Return the object of a table's rows."""
    fixed = [part for part in load_schema("copera", "_row")["properties"] if part not in (DELETED_AT, EXTRA, CELLS)]
    fields = {part: Field(part) for part in fixed}
    fields[DESCRIPTION] = Field(DESCRIPTION, RichText())
    return ObjectSpec(name, fields, key="_id", order=1, changed="updatedAt", at_once=AT_ONCE, hex_ids=True)


def _comments() -> ObjectSpec:
    """Return comments: there is no route that changes one (developer.copera.ai: row comments)."""
    read_only = {part: Field(part) for part in load_schema("copera", COMMENTS)["properties"] if part != DELETED_AT}
    fields = {
        # It finds a comment that is there; a new one gets its own.
        "_id": Field("_id", Text(), only_new=True),
        "board": Field("board", Text(), only_new=True),
        "table": Field("table", Text(), only_new=True),
        "row": Field("row", RowReference(), once=True),
        "content": Field("content", HtmlWords(), once=True),
        "visibility": Field("visibility", Word(("internal", "external")), once=True),
    }
    return ObjectSpec(
        COMMENTS,
        {**read_only, **fields},
        key="_id",
        order=9,
        actions=frozenset({CREATE}),
        finders=frozenset(),
        at_once=AT_ONCE,
        unique=frozenset({"content"}),
        repeats=True,
        takes_external_id=False,
    )
