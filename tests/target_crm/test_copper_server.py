"""Against the sandbox's server of Copper, over the loopback: nothing doubled, nothing written twice."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.copper import API_KEY, USER_EMAIL, Shape, copper_app
from sandbox.faults import FaultRule
from sandbox.server import running
from target_crm.singer.target import TargetCRM
from tests.target_crm.running import records, state

if TYPE_CHECKING:
    from pathlib import Path

EMPTY = Shape(people=0, companies=0, opportunities=0, leads=0, projects=0, tasks=0, activities=0)


def write(folder: Path, url: str, messages: list[dict[str, Any]]) -> list[str]:
    """Run the target, and return the outcomes that it reported."""
    report = folder / "report.jsonl"
    report.unlink(missing_ok=True)
    config = {
        "provider": "copper",
        "api_key": API_KEY,
        "user_email": USER_EMAIL,
        "api_url": url,
        "requests_per_minute": 0,
        "lookup_seconds": 1,
        "streams": {"*": {}},
        "journal": str(folder / "journal.sqlite"),
        "report": str(report),
    }
    TargetCRM(config=config).run(io.StringIO("".join(json.dumps(message) + "\n" for message in messages)))
    return [json.loads(line)["outcome"] for line in report.read_text("utf-8").splitlines()]


@pytest.fixture
def people() -> list[dict[str, Any]]:
    """People with an address each."""
    return [
        *records("people", *({"id": at, "name": f"P {at}", "emails": [f"p{at}@example.com"]} for at in range(1, 61))),
        state(1),
    ]


@pytest.mark.parametrize("effect", ["whole", "half", "none"])
def test_broken_answers_double_and_lose_nothing(tmp_path: Path, people: list[dict[str, Any]], effect: Any) -> None:  # noqa: ANN401
    faults = [FaultRule(["502"], every=3, only="writes", effect=effect)]
    app = copper_app(EMPTY, rate_limit=0, bulk_rate_limit=0, faults=faults)
    with running(app) as url:
        assert write(tmp_path, url, people) == ["created"] * 60
        again = write(tmp_path, url, people)
    assert again == ["unchanged"] * 60
