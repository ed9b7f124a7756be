"""What is measured: which builds and parts, how much, how often."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from bench.speed.builds import Build


@dataclass(frozen=True)
class Plan:
    """Sizes and rounds.

    Attributes:
        people: of Copper.
        leads: of Close, and as many contacts.
        rows: of Copera.
        many: people of the large account.
        tenth: people that the large account is compared with.
        busy: requests of a run that uses the limit.
        all_streams: people of an account of which all streams are read.
        slow: people that a slow reader takes.
        slow_bytes: that it takes a second.
        rounds: how often each is measured.
        folder: for what runs need.
        builds: this one first.
        missing: sentences about what could not be measured.
        peers: names of other tools.
    """

    people: int = 20_000
    leads: int = 10_000
    rows: int = 20_000
    many: int = 200_000
    tenth: int = 10_000
    busy: int = 400
    all_streams: int = 5_000
    slow: int = 4_000
    slow_bytes: int = 200_000
    rounds: int = 3
    folder: Path = field(kw_only=True)
    builds: tuple[Build, ...] = field(kw_only=True)
    missing: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()


#: Sizes with which every part is tried in seconds.
QUICK = {
    "people": 60,
    "leads": 40,
    "rows": 60,
    "many": 120,
    "tenth": 40,
    "busy": 6,
    "all_streams": 40,
    "slow": 60,
    "slow_bytes": 400_000,
    "rounds": 1,
}
