"""The next run costs what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_crm.shaping.moments import from_epoch, to_epoch
from tests.contract.crms import CRMS
from tests.singer import only

if TYPE_CHECKING:
    from tests.contract.conftest import CatalogOf, Start
    from tests.contract.crm import Crm


def test_what_did_not_change_comes_not_again_and_fifty_changes_bring_fifty_records(crm: Crm, start: Start) -> None:
    """One request a stream, but where a list has parts by nature; what is changed just before the next run comes."""
    app, tap = start(*crm.streams, usual_pages=True)
    first = tap.sync()
    app.stats.reset()
    second = tap.sync(state=first.state)
    rows = second.audit()
    for stream in crm.streams:
        assert rows[stream]["requests"] <= crm.idle.get(stream, 1), stream
    assert sum(row["requests"] for row in rows.values()) == app.stats.requests
    for stream in crm.edited:
        assert second.count(stream) == 0, stream
    crm.assert_complete(app, first, second)
    changed = {stream: crm.edit(app, stream, 50) for stream in crm.edited}
    third = tap.sync(state=second.state)
    for stream, keys in changed.items():
        assert third.keys(stream) >= keys
        assert third.keys(stream) == keys or stream not in crm.changed  # what is remembered in parts comes in parts
        assert third.audit()[stream]["requests"] <= crm.edited[stream], stream
    crm.assert_complete(app, first, second, third)


@pytest.mark.parametrize("crm", [pytest.param(crm, id=crm.name) for crm in CRMS.values() if crm.changed], indirect=True)
def test_a_first_run_reads_from_the_start_date_on(crm: Crm, start: Start, catalog_of: CatalogOf) -> None:
    """Nothing that changed earlier, everything that changed later."""
    app, tap = start(*crm.changed)
    for stream, field in crm.changed.items():
        times = {record[crm.usual_key]: to_epoch(record[field]) or 0 for record in app.account.records(stream)}
        middle = sorted(times.values())[len(times) // 2]
        run = tap.sync(start_date=from_epoch(middle), catalog=only(catalog_of(crm), stream))
        wanted = {(key,) for key, at in times.items() if at >= middle}
        assert 0 < len(wanted) < len(times)
        assert run.keys(stream) == wanted, stream
