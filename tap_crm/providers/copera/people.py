"""Members, teams and channels of a workspace: lists by offset."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.ledger import Ledger
from tap_crm.messages import Page
from tap_crm.providers.common.whole_list import OneRecord
from tap_crm.providers.copera.answers import OffsetList
from tap_crm.reading.offset import OffsetReader

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_crm.contract.stream import Reading
    from tap_crm.messages import Item
    from tap_crm.providers.common.records import Record

_log = logging.getLogger("tap-crm.copera")


@dataclass(frozen=True, slots=True)
class OffsetStream:
    """A stream from a list by offset; ``name`` is that of the list in the answer, ``size`` the largest page."""

    path: str
    name: str
    size: int

    def read(self, reading: Reading) -> None:
        """Read the list."""
        reading.emit_records(self.records(reading))

    def records(self, reading: Reading) -> list[Record]:
        """Return the records of the list; read once per run, for every stream that needs them."""
        found, unexplained = self.found(reading)
        reading.ledger.add(unexplained=unexplained)
        return found

    def found(self, reading: Reading) -> tuple[list[Record], int]:
        """Return the records, and how many more the CRM counts; read once per run."""
        return reading.once_per_run.get(self.path, lambda: self._ask(reading))

    def _ask(self, reading: Reading) -> tuple[list[Record], int]:
        found: list[Record] = []

        def take(item: Item) -> None:
            assert isinstance(item, Page)  # noqa: S101 - such a list has no checkpoints
            found.extend(item.decoded())

        own = Ledger()  # records are counted where they are emitted, which may be another stream
        OffsetReader(OffsetList(reading, self.path, self.name, self.size), take, own, confirm_empty=True).read()
        reading.ledger.add(pages=own.pages, windows=own.windows)
        reading.ledger.source_total = own.source_total
        return found, own.unexplained

    def probe(self, reading: Reading) -> None:
        """Ask for the first page."""
        OffsetList(reading, self.path, self.name, 1).ask_from(0)


MEMBERS = OffsetStream("/workspace/members", "members", 500)
TEAMS = OffsetStream("/workspace/teams", "teams", 200)
CHANNELS = OffsetStream("/chat/channels", "channels", 200)


class ChannelParticipants:
    """Who takes part in which channel: the two lists of ids in each channel, a row for each id."""

    def _channels(self, reading: Reading) -> list[Record]:
        channels = CHANNELS.records(reading)
        reading.ledger.source_total = None  # that of the channels says nothing of their participants
        return channels

    def read(self, reading: Reading) -> None:
        """Read the channels, unless their own stream has."""
        reading.emit_records(
            [
                {"channel": channel["_id"], "participantType": kind, "participant": participant}
                for channel in self._channels(reading)
                for kind, name in (("user", "participantUserIds"), ("team", "participantTeamIds"))
                for participant in dict.fromkeys(channel.get(name) or ())
            ],
        )

    def probe(self, reading: Reading) -> None:
        """Ask for a channel."""
        CHANNELS.probe(reading)


#: The stream ``workspace``: the id of the token's workspace, which integration keys may not ask for.
WORKSPACE = OneRecord("/workspace/info", "_id")


def member_names(reading: Reading, *, needed: bool) -> Mapping[str, str | None]:
    """Return the names of members by their ids; none where they are not needed, or the token may not read them."""

    def ask() -> dict[str, str | None]:
        try:
            return {member["_id"]: member.get("name") for member in MEMBERS.found(reading)[0]}
        except (errors.Forbidden, errors.NotThere):
            _log.warning("members are not readable with this token: users stay as ids, their names are null")
            return {}

    return reading.once_per_run.get("member-names", ask) if needed else {}
