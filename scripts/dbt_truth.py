"""What the neutral tables of the dbt package must hold, by what the sandboxes have."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from scripts.dbt_package import SCHEMA
from scripts.demo_close import CLOSE
from scripts.demo_copera import COPERA
from scripts.demo_copper import COPPER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sandbox.client import Client
    from scripts.demo_crm import Crm, Record

    Records = dict[str, list[Record]]
    Ask = Callable[[str], list[tuple[Any, ...]]]

_ACTIVITIES = (
    *("emails", "calls", "sms", "whatsapp_messages", "meetings", "notes", "custom_activities", "form_submissions"),
    *("lead_status_changes", "opportunity_status_changes", "task_completed_activities", "lead_merges"),
    *("created_activities", "import_updates"),
)
#: Which streams the rows of a neutral table come from, and the key of their records.
_STREAMS: dict[str, dict[str, tuple[str, ...]]] = {
    "copper": {
        **{f"crm_{name}": (name,) for name in ("companies", "people", "leads", "opportunities", "tasks", "activities")},
        "crm_users": ("users",),
        "crm_pipelines": ("pipelines",),
        "crm_stages": ("pipeline_stages",),
    },
    "close": {
        "crm_companies": ("leads",),
        "crm_people": ("contacts",),
        "crm_leads": (),
        "crm_opportunities": ("opportunities",),
        "crm_tasks": ("tasks",),
        "crm_activities": _ACTIVITIES,
        "crm_pipelines": ("pipelines",),
        "crm_stages": ("opportunity_statuses",),
    },
    "copera": {
        **{f"crm_{name}": (name,) for name in ("companies", "people", "leads", "opportunities")},
        "crm_users": ("members",),
    },
}
_LISTS = {
    "copper": {
        "crm_emails": [("person", "people", "emails", "email")],
        "crm_phones": [
            ("person", "people", "phone_numbers", "number"),
            ("company", "companies", "phone_numbers", "number"),
            ("lead", "leads", "phone_numbers", "number"),
        ],
        "crm_tags": [("person", "people", "tags", ""), ("opportunity", "opportunities", "tags", "")],
    },
    "close": {
        "crm_emails": [("person", "contacts", "emails", "email")],
        "crm_phones": [("person", "contacts", "phones", "phone")],
    },
    "copera": {},
}
_VALUES = {"crm_emails": "email", "crm_phones": "phone", "crm_tags": "tag"}
_CENTS = Decimal(100)
_UNIT = Decimal("0.0001")


def differences(crm: Crm, client: Client, ask: Ask) -> Iterator[str]:
    """Tell what the neutral tables have otherwise than a sandbox."""
    wanted = {stream for streams in _STREAMS[crm.name].values() for stream in streams}
    records = {name: crm.tables[name].truth(client) for name in wanted}
    for table, streams in _STREAMS[crm.name].items():
        key = "_id" if crm is COPERA else "id"
        there = Counter(str(record[key]) for stream in streams for record in records[stream])
        question = f"SELECT source_id FROM {SCHEMA}.{table} WHERE crm = '{crm.name}' AND NOT is_deleted"  # noqa: S608
        here = Counter(row[0] for row in ask(question))
        if here != there:
            yield f"{table}: {len(there - here)} missing, {len(here - there)} too many of {crm.title}"
    yield from _list_differences(crm, records, ask)
    amounts = f"FROM {SCHEMA}.crm_opportunities WHERE crm = '{crm.name}' AND NOT is_deleted"
    totals = ask(f"SELECT sum(amount), sum(annual_amount) {amounts}")[0]
    by_status: dict[str, int] = dict(ask(f"SELECT status, count(*) {amounts} GROUP BY status"))
    if tuple(Decimal(one or 0) for one in totals) != (expected := _TOTALS[crm.name](records["opportunities"], client)):
        yield f"crm_opportunities: {totals} in place of {expected} of {crm.title}"
    if by_status != (stages := _STATUSES[crm.name](records)):
        yield f"crm_opportunities: {by_status} in place of {stages} of {crm.title}"


def _list_differences(crm: Crm, records: Records, ask: Ask) -> Iterator[str]:
    for table, lists in _LISTS[crm.name].items():
        for object_, stream, name, part in lists:
            there = sorted(
                (str(record["id"]), at, (one[part] if part else one) or None)
                for record in records[stream]
                for at, one in enumerate(record.get(name) or ())
            )
            found = ask(
                f"""
                SELECT parent_id, position, {_VALUES[table]} FROM {SCHEMA}.{table}
                WHERE crm = '{crm.name}' AND object = '{object_}' AND NOT is_deleted
                """  # noqa: S608
            )
            here = sorted((row[0].rpartition(":")[2], *row[1:]) for row in found)
            if here != there:
                yield f"{table}: {len(here)} rows of a {object_} in place of {len(there)} of {crm.title}, or others"


def _sum(values: Iterable[float | str | None]) -> Decimal:
    return sum((Decimal(repr(float(value))).quantize(_UNIT) for value in values if value is not None), Decimal(0))


def _copper_totals(deals: list[Record], _: Client) -> tuple[Decimal, Decimal]:
    total = _sum(deal.get("monetary_value") for deal in deals)
    return total, total


def _close_totals(deals: list[Record], _: Client) -> tuple[Decimal, Decimal]:
    values = [deal for deal in deals if deal.get("value") is not None]
    factor = {"monthly": 12, "annual": 1, "one_time": 1}
    a_year = (int(deal["value"]) * factor[deal["value_period"]] for deal in values)
    return sum(int(deal["value"]) for deal in values) / _CENTS, sum(a_year) / _CENTS


def _copera_totals(deals: list[Record], client: Client) -> tuple[Decimal, Decimal]:
    table = next(one for one in client.control("truth/tables") if one["name"] == "Deals")
    amount = next(one["columnId"] for one in table["columns"] if one["label"] == "Amount")
    cells = (cell.get("value") for deal in deals for cell in deal["columns"] if cell["columnId"] == amount)
    total = _sum(value for value in cells if isinstance(value, int | float) and not isinstance(value, bool))
    return total, total


def _close_statuses(records: Records) -> dict[str, int]:
    types = {status["id"]: status["type"].replace("active", "open") for status in records["opportunity_statuses"]}
    return dict(Counter(types[deal["status_id"]] for deal in records["opportunities"]))


def _copera_status(label: str | None) -> str:
    words = (label or "").lower()
    return "won" if words.startswith("won") else "lost" if words == "lost" else "open"


_TOTALS = {COPPER.name: _copper_totals, CLOSE.name: _close_totals, COPERA.name: _copera_totals}
_STATUSES: dict[str, Callable[[Records], dict[str, int]]] = {
    COPPER.name: lambda records: dict(Counter(deal["status"].lower() for deal in records["opportunities"])),
    CLOSE.name: _close_statuses,
    COPERA.name: lambda records: dict(Counter(_copera_status(deal["stage"]) for deal in records["opportunities"])),
}
