"""The examples of docs/endpoints.md, as they stand there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.endpoints.conftest import Start

PAGE = Path(__file__).parents[2] / "docs/endpoints.md"
EXAMPLES = dict(re.findall(r"<!-- example: (\w+) -->\n```json\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL))


@pytest.mark.parametrize("crm", ["copper", "close", "copera"])
def test_an_example_of_the_docs_loads_records(start: Start, crm: str) -> None:
    """Declared as JSON text, discovered, read complete."""
    _, tap = start(crm)
    endpoints = EXAMPLES[crm]
    (stream,) = (entry["stream"] for entry in json.loads(endpoints))
    catalog, _ = tap.discover(endpoints=endpoints)
    wanted = (stream, "sync_audit")
    catalog["streams"] = [entry for entry in catalog["streams"] if entry["tap_stream_id"] in wanted]
    run = tap.sync(catalog=catalog, endpoints=endpoints)
    assert run.records(stream)
    assert run.audit()[stream]["complete"]
