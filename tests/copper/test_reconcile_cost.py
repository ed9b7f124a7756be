"""What a reconcile costs: little more than a request for each two hundred records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.copper.conftest import FEW, PLAIN
from tests.copper.reconciling import Load
from tests.target import activated

if TYPE_CHECKING:
    from tests.copper.conftest import Start


def test_four_thousand_people_cost_five_requests_a_thousand(start: Start) -> None:
    """Beside the question for what changed; 100,000 cost 520 at most."""
    app, tap = start({**PLAIN, **FEW, "people": 4_000})
    load = Load(app, tap, "people")
    load.run()
    gone = app.account.delete("people", count=100)
    run = load.reconcile()
    assert load.requests("people") - 1 <= 5.3 * 4
    assert set(activated(run)) == {"people"}
    assert load.targets.marked("people") == {(number,) for number in gone}
