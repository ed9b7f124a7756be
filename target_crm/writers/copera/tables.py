"""The tables of the workspace: which one an object is, and what its columns are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.config.nearest import did_you_mean
from tap_crm.providers.copera.account import account
from tap_crm.providers.copera.settings import CoperaSettings
from tap_crm.providers.copera.streams import NAMES
from tap_crm.providers.copera.tables import Table, tables_of
from target_crm.kinds.options import Choice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_crm.writers.definitions import Definitions


class Tables:
    """The tables that the token sees.

    Args:
        definitions: asks for them, once per run.
        places: by the object's name, board and table, where the settings say them.
    """

    def __init__(self, definitions: Definitions, places: Mapping[str, Mapping[str, str] | None]) -> None:
        self._definitions = definitions
        self._places = places

    def probe(self) -> None:
        """Ask for the boards: it shows whether the token is good."""
        account(self._definitions.reading("boards"))

    def all(self) -> Sequence[Table]:
        """Return all tables, with the names of the tap's streams."""
        return self._definitions.once_per_run.get("copera-tables", self._all)

    def _all(self) -> Sequence[Table]:
        reading = self._definitions.reading("boards")
        return tables_of(account(reading), reading.settings.of(CoperaSettings).tables, NAMES)

    def of(self, name: str) -> Table:
        """Return the table of an object.

        Raises:
            ConfigError: there is none, or more than one; names the nearest.
        """
        place = self._places.get(name)
        found = [one for one in self.all() if (one.stream == name if place is None else _is_at(one, place))]
        if len(found) == 1:
            return found[0]
        if place is None:
            streams = [one.stream for one in self.all()]
            raise errors.ConfigError(
                f"the stream `{name}` cannot be written: no table that the token sees is called so; name it by "
                f"`streams.….object` with `board` and `table`{did_you_mean(name, streams)}"
            )
        what = f"{len(found)} tables are called so" if found else "the token sees no such table"
        known = [str(one.record.get("name")) for one in self.all()]
        raise errors.ConfigError(
            f"the setting `object`, board `{place['board']}` and table `{place['table']}`: {what}"
            f"{'; name both by their ids' if found else did_you_mean(place['table'], known)}"
        )

    def name_of(self, table: Table) -> str:
        """Return the name of the object that is this table."""
        places = self._places.items()
        return next((name for name, place in places if place is not None and _is_at(table, place)), table.stream)

    def members(self) -> Sequence[Choice]:
        """Return the members; none where the token may not read them, so that only their ids can be written."""

        def read() -> Sequence[Choice]:
            try:
                found = self._definitions.records("members")
            except errors.Forbidden:
                return ()
            return [
                Choice(str(one["_id"]).lower(), tuple(str(one[part]) for part in ("name", "email") if one.get(part)))
                for one in found
            ]

        return self._definitions.once_per_run.get("copera-members", read)


def _is_at(table: Table, place: Mapping[str, str]) -> bool:
    return place["board"] in (table.record["board"], table.board.get("name")) and place["table"] in (
        table.record["_id"],
        table.record.get("name"),
    )
