"""The tap and the target, killed wherever they are: each event leads to its row, and nothing twice.

`python -m bench.kills` does the same at many more places.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.hints.killing import VICTIMS, Account

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hints.conftest import StartTold
    from tests.hints.tellers import Teller

#: Each kind of place of the target, and of the tap.
PLACES = 4


def test_every_event_leads_to_its_row_wherever_the_tap_or_the_target_is_killed(
    teller: Teller, start_told: StartTold, tmp_path: Path
) -> None:
    """No STATE of the target has a place that stands before a row, and the next run ends with what the CRM has."""
    app, tap, told = start_told(**teller.logless)
    account = Account(teller, app, tap, told, tmp_path)
    for victim in VICTIMS:
        places = account.places(victim, PLACES)
        assert len(places) == PLACES
        for place in places:
            assert account.kill(place), place
