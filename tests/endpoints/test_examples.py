"""The examples of docs/endpoints.md, as they stand there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.endpoints.conftest import Start

pytestmark = pytest.mark.usefixtures("unmeasured")
PAGE = Path(__file__).parents[2] / "docs/endpoints.md"
EXAMPLES = dict(re.findall(r"<!-- example: ([\w-]+) -->\n```json\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL))


def test_each_crm_has_an_example() -> None:
    """A real one."""
    assert EXAMPLES.keys() >= {"copper", "close", "copera"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_of_the_docs_loads_records(start: Start, name: str) -> None:
    """Declared as JSON text, discovered, read complete."""
    _, tap = start(name.partition("-")[0])
    endpoints = EXAMPLES[name]
    (stream,) = (entry["stream"] for entry in json.loads(endpoints))
    catalog, _ = tap.discover(endpoints=endpoints)
    wanted = (stream, "sync_audit")
    catalog["streams"] = [entry for entry in catalog["streams"] if entry["tap_stream_id"] in wanted]
    run = tap.sync(catalog=catalog, endpoints=endpoints)
    assert run.records(stream)
    assert run.audit()[stream]["complete"]
