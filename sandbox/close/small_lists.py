"""The small lists: what each may be asked, and its answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from sandbox.close.behaviour import named
from sandbox.close.contract import is_paged
from sandbox.close.moments import micros_of, micros_of_filter
from sandbox.close.object_types import CUSTOM_FIELD_KINDS, shown
from sandbox.close.parameters import SINGLE, Parameters, boolean, has_more, invalid, paged, read, start_of, with_fields
from sandbox.close.samples.bulk_actions import BULK_KINDS
from sandbox.exchange import Answer, Record, Refusal, encoded

if TYPE_CHECKING:
    from sandbox.close.parameters import CheckedParameters
    from sandbox.close.service import Service
    from sandbox.exchange import Request

Keep: TypeAlias = Callable[[Record, str], bool]


@dataclass(frozen=True, slots=True)
class SmallList:
    """A list: its name among the lists of the organization, and what it may be asked."""

    name: str
    parameters: frozenset[str] = frozenset()
    paged: bool = True
    """Whether it may come in pages; Close's page on pagination names those that never do."""
    where: tuple[str, str] | None = None
    """A key and the value that records of this list have."""
    one_of: tuple[str, ...] = ()
    """Parameters of which one at least must be given."""
    single: bool = True
    """Whether a record can be asked by its id."""
    ignored: frozenset[str] = frozenset()
    order: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    """Fields that only a single record has."""


def _of(name: str, *parameters: str, **rest: object) -> SmallList:
    return SmallList(name, frozenset(parameters), **rest)  # type: ignore[arg-type]


_USER_ORDER = ("date_created", "date_updated", "email", "first_name", "last_name", "id")
_PARENTS = ("sequence_id", "contact_id", "lead_id")
_DIALER = ("source_type", "source_value", "status", "status__in", "user_id", "organization_id")

LISTS: dict[str, SmallList] = {
    "user": _of("users", order=_USER_ORDER),
    "role": _of("roles", paged=False),
    "group": _of("groups", paged=False, without=("members",)),
    "status/lead": _of("lead_statuses", paged=False),
    "status/opportunity": _of("opportunity_statuses", paged=False),
    "pipeline": _of("pipelines", paged=False),
    "custom_activity": _of("custom_activity_types", paged=False),
    "custom_object_type": _of("custom_object_types", paged=False),
    "custom_object": _of("custom_objects", "lead_id", "custom_object_type_id", one_of=("lead_id",)),
    "email_template": _of("email_templates", "is_archived", "is_shared"),
    "sms_template": _of("sms_templates"),
    "connected_account": _of("connected_accounts", "user_id", ignored=frozenset({"_type"})),
    "send_as": _of("send_as", "allowing_user_id", "allowed_user_id"),
    "sequence": _of("sequences"),
    "sequence_subscription": _of("sequence_subscriptions", *_PARENTS, one_of=_PARENTS),
    "saved_search": _of("smart_views", "type", "type__in"),
    "integration_link": _of("integration_links"),
    "phone_number": _of("phone_numbers", "number", "user_id", "is_group_number"),
    "blocked_phone_number": _of("blocked_phone_numbers"),
    "dialer": _of("dialers", *_DIALER),
    "outcome": _of("outcomes"),
    "playbook": _of("playbooks", "is_archived", "position__gt", "created_at__lt"),
    "form": _of("forms", "is_archived"),
    "scheduling_link": _of("scheduling_links", paged=False),
    "shared_scheduling_link": _of("shared_scheduling_links", paged=False),
    "comment_thread": _of("comment_threads", "ids", "object_ids"),
    "comment": _of("comments", "thread_id", "object_id", one_of=("thread_id", "object_id")),
    "webhook": _of("webhooks", paged=False),
    "unsubscribe/email": _of("unsubscribed_emails"),
    "export": _of("exports"),
}
LISTS |= {f"bulk_action/{kind}": _of("bulk_actions", where=("kind", kind)) for kind in BULK_KINDS}
LISTS |= {
    f"custom_field/{kind}": _of("custom_fields", where=("object_type", kind), paged=kind != "shared")
    for kind in CUSTOM_FIELD_KINDS
}


def small_list(service: Service, request: Request) -> Answer:
    """Answer a small list: a page, or all of it where there are no pages."""
    path = request.path
    one = LISTS[path]
    has_pages = one.paged and (is_paged(path) or service.behaviour.unlisted_paging == "honoured")
    parameters = Parameters(
        one.parameters,
        ignored=one.ignored,
        order=one.order,
        page=frozenset({"_limit", "_skip"} if has_pages else ()),
    )
    asked = read(path, request, parameters, service.behaviour)
    if has_pages:
        paged(asked, service.behaviour)
    _needed(one, request)
    if path == "saved_search" and not {"type", "type__in"} & set(asked.given):
        asked.given["type"] = "lead"
    rows = _filtered(service, asked, _of_list(service, one))
    if order := asked.order:
        rows.sort(key=lambda row: str(row[order.removeprefix("-")]), reverse=order.startswith("-"))
    if not has_pages:
        extra = {"has_more": False} if service.behaviour.unpaged_has_more == "shown" else {}
        extra |= {"has_more": True} if named(service.behaviour.endless, path) else {}
        return encoded({"data": [_shaped(one, row, asked.fields) for row in rows]} | extra)
    service.page_faults.before(request, asked)
    start = start_of(asked, service.behaviour)
    more = has_more(asked, len(rows), service.behaviour)
    page, more = service.page_faults.after(request, rows[start : start + asked.limit], more=more)
    return encoded({"data": [_shaped(one, row, asked.fields) for row in page], "has_more": more})


def small_record(service: Service, request: Request, path: str, number: str) -> Answer:
    """Answer one record of a small list."""
    one = LISTS[path]
    asked = read(path, request, SINGLE, service.behaviour)
    key = "email" if path == "unsubscribe/email" else "id"
    for record in _of_list(service, one):
        if record[key] == number:
            extra = _counts(service, number) if path == "sequence" else {}
            if one.name == "webhooks" and service.account.webhooks:
                extra = service.account.webhooks.shown(number)
            return encoded(with_fields(shown(one.name, record) | extra, asked.fields))
    raise Refusal(404, f"{path} {number} not found")


def _of_list(service: Service, one: SmallList) -> list[Record]:
    """Give what the key sees of a list."""
    rows = service.account.lists[one.name]
    if one.where:
        rows = [row for row in rows if row[one.where[0]] == one.where[1]]
    if one.name == "webhooks" and service.account.webhooks:
        rows = [row | service.account.webhooks.shown(row["id"]) for row in rows]
    if service.behaviour.hiding:
        rows = [row for row in rows if service.account.sees(one.name, str(row.get("id", row.get("email"))))]
    return list(rows)


def _needed(one: SmallList, request: Request) -> None:
    given = [name for name in one.one_of if name in request.query]
    if one.one_of and not given:
        raise invalid(one.one_of[0], f"One of {', '.join(one.one_of)} is required.")
    if one.name == "comments" and len(given) > 1:
        raise invalid(given[0], "Exactly one of thread_id and object_id is required.")


def _shaped(one: SmallList, record: Record, fields: list[str] | None) -> Record:
    plain = {key: value for key, value in shown(one.name, record).items() if key not in one.without}
    return with_fields(plain, fields)


def _counts(service: Service, sequence_id: str) -> Record:
    counts = dict.fromkeys(("active", "paused", "finished", "goal", "error"), 0)
    for one in service.account.lists["sequence_subscriptions"]:
        if one["sequence_id"] == sequence_id:
            counts[one["status"]] += 1
    return {"subscription_counts_by_status": counts}


def _filtered(service: Service, asked: CheckedParameters, rows: list[Record]) -> list[Record]:
    given = dict(asked.given)
    if "object_id" in given and asked.resource == "comment":
        wanted = given.pop("object_id")
        threads = {one["id"] for one in service.account.lists["comment_threads"] if one["object_id"] == wanted}
        rows = [row for row in rows if row["thread_id"] in threads]
    for name, value in given.items():
        keep = _KEEP.get(name) or _equal(name)
        rows = [row for row in rows if keep(row, value)]
    return rows


def _equal(name: str) -> Keep:
    def keep(row: Record, value: str) -> bool:
        if name.startswith("is_"):
            return bool(row.get(name)) is boolean(name, value)
        return bool(row.get(name) == value)

    return keep


def _archived(row: Record, value: str) -> bool:
    wanted = boolean("is_archived", value)
    return (row["archived_at"] is not None if "archived_at" in row else bool(row.get("is_archived"))) is wanted


def _position(row: Record, value: str) -> bool:
    if not value.isdigit():
        raise invalid("position__gt", "Not a valid integer.")
    return row["position"] is not None and row["position"] > int(value)


def _before(row: Record, value: str) -> bool:
    try:
        return micros_of(row["created_at"]) < micros_of_filter(value)
    except ValueError as error:
        raise invalid("created_at__lt", f"Invalid date: {error}.") from None


_KEEP: dict[str, Keep] = {
    "is_archived": _archived,
    "position__gt": _position,
    "created_at__lt": _before,
    "ids": lambda row, value: row["id"] in value.split(","),
    "object_ids": lambda row, value: row["object_id"] in value.split(","),
    "type__in": lambda row, value: row["type"] in value.split(","),
    "status__in": lambda row, value: row["status"] in value.split(","),
}
