"""Which streams of an account are read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tap_crm.errors import ConfigError
from tap_crm.load.catalog import rules_of, selecting
from tests.load.conftest import CONFIRMS, shell

if TYPE_CHECKING:
    from pathlib import Path

    from tests.load.conftest import Loads

NAMES = ("people", "tags", "sales__deals", "sync_audit")
CATALOG = {
    "streams": [
        {"tap_stream_id": name, "metadata": [{"breadcrumb": [], "metadata": {"selected": True}}]} for name in NAMES
    ]
}


@pytest.mark.parametrize(
    ("texts", "chosen"),
    [
        (["people"], {"people"}),
        (["people.*,tags"], {"people", "tags"}),
        (["!tags"], {"people", "sales__deals"}),
        (["*", "!sales__*"], {"people", "tags"}),
        (["!people", "people", "tags"], {"tags"}),
    ],
)
def test_rules_select_streams_as_meltanos_do_and_the_audit_always(texts: list[str], chosen: set[str]) -> None:
    """What one rule leaves out no other takes in again."""
    found = json.loads(selecting(json.dumps(CATALOG).encode(), rules_of(texts)))
    selected = {one["tap_stream_id"] for one in found["streams"] if one["metadata"][0]["metadata"]["selected"]}
    assert selected == {*chosen, "sync_audit"}


def test_rules_that_select_nothing_or_fields_are_refused() -> None:
    """A part of an account that reads nothing would look like a success."""
    with pytest.raises(ConfigError, match="selects no stream of this account: peple"):
        selecting(json.dumps(CATALOG).encode(), rules_of(["peple"]))
    with pytest.raises(ConfigError, match="only whole streams"):
        rules_of(["people.name"])


def test_the_catalog_of_discovery_is_given_with_the_streams_selected(loads: Loads, tmp_path: Path) -> None:
    """A discovery that fails ends the load with its code."""
    (tmp_path / "found.json").write_text(json.dumps(CATALOG))
    tap = shell(f'if [ "$0" = --discover ]; then cat {tmp_path}/found.json; else cp "$1" {tmp_path}/given.json; fi')
    assert loads.run(tap, CONFIRMS, "--select", "people") == 0
    given = json.loads((tmp_path / "given.json").read_text())
    assert [one["metadata"][0]["metadata"]["selected"] for one in given["streams"]] == [True, False, False, True]
    assert loads.run(shell("exit 77"), CONFIRMS, "--select", "people") == 77
