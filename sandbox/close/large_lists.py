"""Answers the lists of leads, contacts, opportunities, tasks and activities."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from sandbox.close.object_types import ACTIVITY_NAMES, BY_KIND, TASK_TYPES
from sandbox.close.opportunity_totals import totals
from sandbox.close.parameters import (
    CheckedParameters,
    Parameters,
    boolean,
    has_more,
    invalid,
    paged,
    read,
    refused,
    start_of,
    with_fields,
)
from sandbox.close.table import FOREVER
from sandbox.close.text_query import read_text_query
from sandbox.exchange import Answer, Record, encoded

if TYPE_CHECKING:
    from sandbox.close.service import Service
    from sandbox.close.table import Entry, Row, Table
    from sandbox.exchange import Request

Test: TypeAlias = Callable[["Row"], bool]

_decode = msgspec.json.Decoder(dict).decode
_ALL = (-FOREVER, FOREVER)

_MONEY = ("confidence", "user_name", "value", "annualized_value", "annualized_expected_value", "date_won")
_OPPORTUNITY_FIELDS = ("user_id", "status_id", "status_type", "status_label", "value_period")
_DATES = frozenset(("date_created", "date_updated"))

PARAMETERS = {
    "lead": Parameters(frozenset({"query"})),
    "contact": Parameters(frozenset({"lead_id"})),
    "opportunity": Parameters(
        frozenset(
            (
                *("lead_id", "organization_id", "is_stalled", "_group_by", "query", "lead_query"),
                *("lead_saved_search_id", *_OPPORTUNITY_FIELDS, *(f"{one}__in" for one in _OPPORTUNITY_FIELDS)),
            )
        ),
        _DATES | {"date_won"},
        order=("date_updated", "date_created", *_MONEY),
    ),
    "task": Parameters(
        frozenset(
            (
                *("_type", "_type__in", "assigned_to", "id", "id__in", "is_complete", "lead_id"),
                *("organization_id", "view"),
            )
        ),
        _DATES | {"date", "due_date"},
        order=("date", "date_created"),
    ),
}
_WITH_LEAD = ("user_id", "contact_id", "_type")
ACTIVITY_PARAMETERS = Parameters(
    frozenset(
        (
            *("lead_id", "lead_id__in", "id__in", "organization_id", "thread_emails"),
            *(one + end for one in _WITH_LEAD for end in ("", "__in")),
        )
    ),
    frozenset({"date_created", "activity_at"}),
    order=("date_created", "activity_at"),
)
TYPED_PARAMETERS = Parameters(
    (ACTIVITY_PARAMETERS.names - {"_type", "_type__in", "thread_emails"})
    | {"custom_activity_type_id", "custom_activity_type_id__in"},
    ACTIVITY_PARAMETERS.dates,
    order=ACTIVITY_PARAMETERS.order,
)


@dataclass(slots=True)
class Selection:
    """Which rows of which tables a list gives, and in what order."""

    names: list[str]
    tests: list[Test] = field(default_factory=list)
    bounds: dict[str, tuple[int, int]] = field(default_factory=dict)
    leads: set[str] | None = None
    order: str = "created"
    key: Callable[[Row], tuple[bool, object]] | None = None
    """How rows are ordered if by no date of theirs."""
    descending: bool = True


def listed(service: Service, request: Request, name: str) -> Answer:
    """Answer a list of leads, contacts, opportunities or tasks."""
    resource = request.path
    asked = paged(read(resource, request, PARAMETERS[resource], service.behaviour), service.behaviour)
    selection = Selection([name])
    _SELECT[resource](service, asked, selection)
    return _page(service, request, asked, selection)


def activities(service: Service, request: Request, name: str | None) -> Answer:
    """Answer the generic list of activities, or that of a type."""
    parameters = TYPED_PARAMETERS if name else ACTIVITY_PARAMETERS
    asked = paged(read(request.path, request, parameters, service.behaviour), service.behaviour)
    selection = Selection([name] if name else _generic_names(asked))
    _restrict_activities(service, asked, selection, generic=name is None)
    return _page(service, request, asked, selection)


def tasks_that_fit(service: Service, asked: CheckedParameters) -> list[str]:
    """Give the ids of all tasks that fit the filters of their list."""
    selection = Selection(["tasks"])
    _restrict_tasks(service, asked, selection)
    return [number for _, number in found(service, selection)]


def found(service: Service, selection: Selection) -> list[Entry]:
    """Give the entries of all rows that fit, in the order asked for."""
    entries: list[Entry] = []
    for name in selection.names:
        table = service.account.tables[name]
        fitting = _candidates(table, selection)
        if selection.leads is not None and service.behaviour.child_lists == "index":
            table.settle(time.monotonic())
            fitting = [entry for entry in fitting if table.seen(entry[1]) is not None]
        if service.behaviour.hiding:
            fitting = [entry for entry in fitting if service.account.sees(name, entry[1])]
        entries += fitting
    if len(selection.names) > 1 or selection.leads is not None or len(selection.bounds) > 1:
        entries.sort()
    if selection.key is not None:
        key, table = selection.key, service.account.tables[selection.names[0]]
        entries.sort(key=lambda entry: key(table.living[entry[1]]))
    elif service.behaviour.unstable_ties:
        entries.sort(key=lambda entry: (entry[0], service.rng.random()))
    if selection.descending:
        entries.reverse()
    return entries


def _candidates(table: Table, selection: Selection) -> list[Entry]:
    """Rows of one table that fit, in order unless there are several bounds or leads."""
    attribute, tests, living = selection.order, list(selection.tests), table.living
    if selection.leads is not None:
        rows = [row for lead_id in selection.leads for row in table.of_lead(lead_id)]
        for name, (low, high) in selection.bounds.items():
            rows = [row for row in rows if low <= getattr(row, name) < high]
        return [(getattr(row, attribute), row.id) for row in rows if all(test(row) for test in tests)]
    low, high = selection.bounds.get(attribute, _ALL)
    others = [name for name in selection.bounds if name != attribute]
    if others and attribute not in selection.bounds:
        entries = table.between(others[0], *selection.bounds[others[0]])
        rows = [living[number] for _, number in entries]
        return sorted((getattr(row, attribute), row.id) for row in rows if all(test(row) for test in tests))
    entries = table.between(attribute, low, high)
    for name in others:
        first, last = selection.bounds[name]
        entries = [one for one in entries if first <= getattr(living[one[1]], name) < last]
    if tests:
        entries = [one for one in entries if all(test(living[one[1]]) for test in tests)]
    return entries


def _page(service: Service, request: Request, asked: CheckedParameters, selection: Selection) -> Answer:
    service.page_faults.before(request, asked)
    entries = found(service, selection)
    start = start_of(asked, service.behaviour)
    page, more = service.page_faults.after(
        request, entries[start : start + asked.limit], more=has_more(asked, len(entries), service.behaviour)
    )
    rows = [
        (name, service.account.tables[name].living.get(entry[1]))
        for entry in page
        for name in _home(service, selection, entry)
    ]
    data = [_shaped(service, name, row, asked.fields) for name, row in rows if row is not None]
    body: Record = {"data": data, "has_more": more}
    if service.behaviour.totals == "shown" and asked.resource in ("lead", "opportunity"):
        body["total_results"] = len(entries)
    if asked.resource == "opportunity":
        table = service.account.tables["opportunities"]
        body |= totals(table.living[entry[1]] for entry in entries)
        if "_group_by" in asked.given:
            body["data"] = [{"group": None, "opportunities": data}]
    return encoded(body)


def _home(service: Service, selection: Selection, entry: Entry) -> list[str]:
    if len(selection.names) == 1:
        return selection.names
    return [name for name in selection.names if entry[1] in service.account.tables[name].living]


def _shaped(service: Service, name: str, row: Row, fields: list[str] | None) -> object:
    if fields is None and name != "leads":
        return msgspec.Raw(row.raw)
    return with_fields(with_transcripts(name, service.account.full(name, row, seen=True), fields), fields)


def with_transcripts(name: str, record: Record, fields: list[str] | None) -> Record:
    """Add the transcripts of a meeting where they are asked for by name (close.md, section on activities)."""
    if name != "meetings" or "transcripts" not in (fields or ()):
        return record
    said = [{"speaker": "A", "text": f"About {record['title']}"}] if record["status"] == "completed" else []
    return record | {"transcripts": said or None}


def _restrict_leads(_: Service, asked: CheckedParameters, selection: Selection) -> None:
    if "query" in asked.given:
        selection.bounds, selection.order, selection.descending = read_text_query(asked.given["query"])


def _restrict_contacts(_: Service, asked: CheckedParameters, selection: Selection) -> None:
    selection.leads = asked.values("lead_id")


def _restrict_opportunities(service: Service, asked: CheckedParameters, selection: Selection) -> None:
    _not_covered(asked, "query", "lead_query", "lead_saved_search_id")
    selection.leads = asked.values("lead_id")
    _same_organization(service, asked, selection)
    for name in _OPPORTUNITY_FIELDS:
        _has(selection, name, asked.values(name))
    if "is_stalled" in asked.given:
        stalled = boolean("is_stalled", asked.given["is_stalled"])
        selection.tests.append(lambda row: _decode(row.raw).get("is_stalled", False) is stalled)
    _dated(asked, selection, "date_created", "date_updated")
    if "date_won" in asked.bounds:
        low, high = asked.bounds["date_won"]
        selection.tests.append(lambda row: row.happened is not None and low <= row.happened < high)
    if asked.order:
        _ordered(asked.order, selection)


def _restrict_tasks(service: Service, asked: CheckedParameters, selection: Selection) -> None:
    types = asked.values("_type") or {"lead"}
    if types != {"all"}:
        if unknown := types - set(TASK_TYPES):
            raise invalid("_type", f"Unknown type: {min(unknown)}.")
        selection.tests.append(lambda row: row.kind in types)
    selection.leads = asked.values("lead_id")
    _same_organization(service, asked, selection)
    ids, users = asked.values("id"), asked.values("assigned_to")
    if ids is not None:
        selection.tests.append(lambda row: row.id in ids)
    if users is not None:
        selection.tests.append(lambda row: row.user_id in users)
    if "is_complete" in asked.given:
        complete = boolean("is_complete", asked.given["is_complete"])
        selection.tests.append(lambda row: _decode(row.raw)["is_complete"] is complete)
    _dated(asked, selection, "date_created", "date_updated")
    if "view" in asked.given:
        if asked.given["view"] not in ("inbox", "future", "archive"):
            raise invalid("view", "Unknown view.")
        _has(selection, "view", {asked.given["view"]})
    else:
        for low, high in [asked.bounds[name] for name in ("date", "due_date") if name in asked.bounds]:
            selection.tests.append(
                lambda row, low=low, high=high: row.happened is not None and low <= row.happened < high  # type: ignore[misc]
            )
    if asked.order:
        _ordered(asked.order, selection)


def _generic_names(asked: CheckedParameters) -> list[str]:
    threads = asked.given.get("thread_emails", "false").lower()
    if threads not in ("true", "false", "only"):
        raise invalid("thread_emails", "Must be true, false or only.")
    without = {"true": "", "false": "email_threads", "only": "emails"}[threads]
    kinds = asked.values("_type")
    if kinds is None:
        return [name for name in ACTIVITY_NAMES if name != without]
    if unknown := kinds - set(BY_KIND):
        raise invalid("_type", f"Unknown type: {min(unknown)}.")
    return [BY_KIND[kind].name for kind in sorted(kinds)]


def _restrict_activities(service: Service, asked: CheckedParameters, selection: Selection, *, generic: bool) -> None:
    given, selection.leads = asked.given, asked.values("lead_id")
    if "lead_id" not in given:
        needing = ["custom_activity_type_id", *(_WITH_LEAD if generic else ())]
        found = [name for one in needing for name in (one, f"{one}__in") if name in given]
        found += ["activity_at"] if "activity_at" in asked.bounds else []
        found += ["_order_by"] if asked.order == "-activity_at" else []
        if found:
            raise invalid(found[0], "Only allowed together with lead_id.")
    if asked.order == "activity_at":
        raise invalid("_order_by", "Can not order by activity_at.")
    if "activity_at" in asked.bounds and asked.order != "-activity_at":
        raise invalid("activity_at", "Only allowed together with _order_by=-activity_at.")
    if asked.order == "date_created":
        if service.behaviour.activity_order == "refused":
            raise invalid("_order_by", "Can not order by date_created.")
        selection.descending = service.behaviour.activity_order == "ignored"
    _same_organization(service, asked, selection)
    for attribute, name in (("id", "id"), ("user_id", "user_id"), ("contact_id", "contact_id")):
        values = asked.values(name)
        if values is not None:
            selection.tests.append(lambda row, attribute=attribute, values=values: getattr(row, attribute) in values)  # type: ignore[misc]
    _has(selection, "custom_activity_type_id", asked.values("custom_activity_type_id"))
    _dated(asked, selection, "date_created")
    if asked.order == "-activity_at":
        low, high = asked.bounds.get("activity_at", _ALL)
        selection.tests.append(lambda row: low <= row.moment < high)
        selection.order = "moment"


def _same_organization(service: Service, asked: CheckedParameters, selection: Selection) -> None:
    if (
        asked.given.get("organization_id", service.account.source.organization_id)
        != service.account.source.organization_id
    ):
        selection.tests.append(lambda _: False)


def _has(selection: Selection, name: str, values: set[str] | None) -> None:
    if values is not None:
        selection.tests.append(lambda row: _decode(row.raw).get(name) in values)


def _dated(asked: CheckedParameters, selection: Selection, *names: str) -> None:
    for name in names:
        if name in asked.bounds:
            selection.bounds[name.removeprefix("date_")] = asked.bounds[name]


def _ordered(order: str, selection: Selection) -> None:
    name = order.removeprefix("-")
    selection.descending = order.startswith("-")
    if name in ("date_created", "date_updated"):
        selection.order = name.removeprefix("date_")
        return

    def key(row: Row) -> tuple[bool, object]:
        value = _decode(row.raw).get(name)
        return (value is not None, value)

    selection.key = key


def _not_covered(asked: CheckedParameters, *names: str) -> None:
    for name in names:
        if name in asked.given:
            raise refused(f"The sandbox does not know {name}.")


_SELECT = {
    "lead": _restrict_leads,
    "contact": _restrict_contacts,
    "opportunity": _restrict_opportunities,
    "task": _restrict_tasks,
}
