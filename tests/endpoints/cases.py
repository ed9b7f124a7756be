"""One endpoint for each way in which a list goes on, and what the CRM has there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

Truth: TypeAlias = Callable[[Any], set[tuple[Any, ...]]]


@dataclass(frozen=True)
class Case:
    """An endpoint.

    Attributes:
        truth: from a sandbox to the keys of the records that should come.
        requests: so many are needed.
        path: a part of the paths that are asked.
    """

    crm: str
    endpoint: dict[str, Any]
    truth: Truth
    requests: int
    path: str

    @property
    def stream(self) -> str:
        """Its name."""
        return str(self.endpoint["stream"])


def _all_of(name: str, key: str = "id") -> Truth:
    return lambda app: {(record[key],) for record in app.account.records(name)}


def _activities_of_companies(app: Any) -> set[tuple[Any, ...]]:  # noqa: ANN401 - a sandbox
    return {(one["id"],) for one in app.account.records("activities") if one["parent"]["type"] == "company"}


CASES = {
    "copper page": Case(
        "copper",
        {
            "stream": "people_by_age",
            "path": "/people/search",
            "method": "POST",
            "body": {"sort_by": "date_created", "sort_direction": "asc"},
            "paging": "page",
            "size": 20,
            "keys": ["id"],
        },
        _all_of("people"),
        4,  # the first page tells how many there are, and is read again in the end: rows may have moved onto it
        "people/search",
    ),
    "copper none": Case(
        "copper",
        {"stream": "sources", "path": "/customer_sources", "keys": ["id"]},
        _all_of("customer_sources"),
        1,
        "customer_sources",
    ),
    "copper parent": Case(
        "copper",
        {
            "stream": "company_activities",
            "path": "/companies/{id}/activities",
            "method": "POST",
            "keys": ["id"],
            "parent": {"stream": "companies", "field": "id", "as": "company_id"},
        },
        _activities_of_companies,
        9,
        "activities",
    ),
    "close skip": Case(
        "close",
        {"stream": "contact_list", "path": "/contact/", "paging": "skip", "size": 10, "keys": ["id"]},
        _all_of("contacts"),
        5,
        "contact",
    ),
    "close cursor": Case(
        "close",
        {"stream": "log", "path": "/event/", "paging": "cursor", "size": 20, "keys": ["id"]},
        _all_of("events"),
        4,
        "event",
    ),
    "close parent": Case(
        "close",
        {
            "stream": "group_details",
            "path": "/group/{id}/",
            "records": ".",
            "keys": ["id"],
            "parent": {"stream": "groups", "field": "id", "as": "group_id"},
        },
        _all_of("groups"),
        7,
        "group",
    ),
    "copera skip": Case(
        "copera",
        {
            "stream": "people",
            "path": "/workspace/members",
            "records": "members",
            "paging": "skip",
            "size": 5,
            "keys": ["_id"],
        },
        _all_of("members", "_id"),
        4,
        "members",
    ),
    "copera cursor": Case(
        "copera",
        {
            "stream": "meetings",
            "path": "/bookings",
            "records": "bookings",
            "paging": "cursor",
            "size": 5,
            "keys": ["uid"],
        },
        _all_of("bookings", "uid"),
        12,
        "bookings",
    ),
}
