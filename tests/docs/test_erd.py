"""The pictures of streams show each stream, and lead nowhere that is not there."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from scripts.erd import CORE, LEADS_TO, entities, erd, leads_to
from tap_crm.providers import PROVIDERS
from tap_crm.shaping.schema import load_schema

CRMS = list(PROVIDERS)


@pytest.mark.parametrize("crm", CRMS)
def test_each_stream_is_drawn_with_its_key(crm: str) -> None:
    found = {one.name: tuple(one.keys) for one in entities(PROVIDERS[crm])}
    assert {spec.name: spec.primary_key for spec in PROVIDERS[crm].streams}.items() <= found.items()
    words = [text.text for text in ET.fromstring(erd(crm)).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314 - ours
    assert [name for name in found if name not in words] == []


@pytest.mark.parametrize("crm", CRMS)
def test_fields_lead_to_streams_that_are_there(crm: str) -> None:
    every = entities(PROVIDERS[crm])
    names = {one.name for one in every}
    assert {target for one in every for target in one.links.values()} <= names
    assert set(CORE[crm]) <= names


@pytest.mark.parametrize("crm", CRMS)
def test_what_is_said_of_a_field_is_said_of_one_that_is_there(crm: str) -> None:
    """A name that no stream has any more would say nothing, unnoticed."""
    fields = {spec.name: set(load_schema(crm, spec.name)["properties"]) for spec in PROVIDERS[crm].streams}
    known = {f"{stream}.{name}" for stream, names in fields.items() for name in names}
    assert {name for name in LEADS_TO[crm] if "." in name} <= known


@pytest.mark.parametrize(
    ("crm", "stream", "field", "target"),
    [
        ("copper", "people", "company_id", "companies"),
        ("copper", "opportunities", "primary_contact_id", "people"),
        ("copper", "custom_activity_types", "company_id", ""),
        ("copper", "people", "name", None),
        ("close", "contacts", "lead_id", "leads"),
        ("close", "opportunities", "status_id", "opportunity_statuses"),
        ("close", "events", "request_id", None),
        ("close", "sequences", "created_by_id", "users"),
        ("copera", "columns", "table", "tables"),
    ],
)
def test_a_field_leads_where_its_name_says(crm: str, stream: str, field: str, target: str | None) -> None:
    streams = {spec.name for spec in PROVIDERS[crm].streams}
    assert leads_to(crm, stream, field, streams) == target
