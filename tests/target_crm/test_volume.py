"""What many records cost in requests: small cases of what `bench` measures."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.target_crm.running import records

if TYPE_CHECKING:
    from tests.target_crm.copper_double import CopperDouble
    from tests.target_crm.running import Bench

BY_MAIL: dict[str, Any] = {"people": {"match": ["email"], "fields": {"email": "emails"}}}


def people(count: int, title: str) -> list[dict[str, Any]]:
    rows = ({"email": f"p{at}@example.com", "name": f"Person {at}", "title": title} for at in range(count))
    return records("people", *rows)


def test_four_hundred_people_are_upserted_by_forty_writes_and_two_look_ups(bench: Bench, crm: CopperDouble) -> None:
    for at in range(200):
        mails = [{"email": f"p{at}@example.com", "category": "work"}]
        crm.add("people", name=f"Person {at}", title="Before", emails=mails)
    done = bench.run(people(400, "After"), streams=BY_MAIL)
    assert done.outcomes == {"updated": 200, "created": 200}
    assert (len(crm.writes), crm.asked.count(("POST", "/people/search"))) == (40, 2)
    crm.asked.clear()
    again = bench.run(people(400, "After"), streams=BY_MAIL)
    assert (again.outcomes, crm.writes) == ({"unchanged": 400}, [])
    assert crm.asked.count(("POST", "/people/search")) == 2
