"""A wrong name in Meltano's `select` is said, with the nearest one."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from singer_sdk.singerlib import Catalog

from tap_crm.config.meltano_select import rules_that_fit_nothing, select_rules
from tap_crm.singer.catalog_checks import fields_of
from tap_crm.singer.tap import TapCRM

if TYPE_CHECKING:
    from collections.abc import Sequence

CATALOG = Catalog.from_dict(
    {
        "streams": [
            {
                "tap_stream_id": "people",
                "schema": {"type": "object", "properties": {}},
                "metadata": [
                    {"breadcrumb": [], "metadata": {}},
                    {"breadcrumb": ["properties", "name"], "metadata": {}},
                    {"breadcrumb": ["properties", "address"], "metadata": {}},
                    {"breadcrumb": ["properties", "address", "properties", "city"], "metadata": {}},
                ],
            }
        ]
    }
)
KNOWN = ("people", "leads")


@pytest.mark.parametrize(
    ("rules", "remarks"),
    [
        (["*.*", "people.*", "people.na*", "people.address.city", "peop*.*", "people"], []),
        (["poeple.*"], ["`select`: there is no stream `poeple`; did you mean `people`?"]),
        (["people.*", "quux.*"], ["`select`: there is no stream `quux`"]),
        (["people.nmae"], ["`select`: the stream `people` has no field `nmae`; did you mean `name`?"]),
        (["!poeple.*", "!people.nmae"], []),
        (["leads.*", "leads.name"], []),
    ],
    ids=str,
)
def test_a_rule_that_fits_nothing_is_said(rules: Sequence[str], remarks: Sequence[str]) -> None:
    """What leaves something out, or names a stream that the key may not read, is no mistake."""
    assert rules_that_fit_nothing(rules, KNOWN, {name: fields_of(entry) for name, entry in CATALOG.items()}) == remarks


@pytest.mark.parametrize("text", ["", "no json", "{}", "null", "[1, null]"])
def test_what_is_no_list_of_rules_is_none(text: str) -> None:
    assert select_rules({"MELTANO_EXTRACT__SELECT": text}) == []
    assert select_rules({}) == []


def test_the_tap_says_it_before_it_asks_anything(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Meltano hands its rules to the tap in a variable; its catalog then selects nothing."""
    monkeypatch.setenv("MELTANO_EXTRACT__SELECT", json.dumps(["poeple.*"]))
    config = {"provider": "copper", "api_key": "k3y", "user_email": "you@example.com", "api_url": "http://127.0.0.1:9/"}
    tap = TapCRM(config={**config, "custom_fields": "raw"}, catalog=CATALOG)
    assert "people" in tap.streams
    assert "there is no stream `poeple`; did you mean `people`?" in caplog.text
