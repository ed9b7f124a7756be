"""Accounts whose records have arrays that a test changes, and what a target should then hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox import close, copera, copper
from tests.copies import app_of
from tests.truth import exact

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.singer import Key, Record
    from tests.target import Target

SEED = 5
FEW = ("companies", "opportunities", "leads", "projects", "tasks", "activities")


@dataclass(frozen=True)
class Case:
    """A stream of a CRM whose records have two arrays.

    Attributes:
        crm: the CRM.
        make: makes its sandbox.
        credentials: of the tap.
        parent: the stream.
        table: what the sandbox calls it.
        key: the field with a record's id.
        key_column: what the child tables call it.
        arrays: the properties that are arrays, each with the name of what the sandbox changes for it.
        element: makes an element of an array from a number.
        reconciles: whether deletions wait for a reconcile.
    """

    crm: str
    make: Callable[..., Any]
    credentials: dict[str, str]
    parent: str
    table: str
    key: str
    key_column: str
    arrays: dict[str, str]
    element: Callable[[Any, str, int], Any]
    reconciles: bool

    @property
    def children(self) -> list[str]:
        """The names of the child tables."""
        return [f"{self.parent}__{array}" for array in self.arrays]

    def ids(self, app: Any) -> list[Any]:  # noqa: ANN401 - a sandbox
        """Return the ids of the living records."""
        return [record[self.key] for record in self.records(app)]

    def records(self, app: Any) -> list[Record]:  # noqa: ANN401 - a sandbox
        """Return the living records as the API has them."""
        name = f"rows:{app.account.table_named(self.table).id}" if self.crm == "copera" else self.table
        found: list[Record] = app.account.records(name)
        return found

    def set_arrays(self, app: Any, record: Any, lengths: Sequence[int], seed: int) -> None:  # noqa: ANN401
        """Give the arrays of a record so many elements."""
        changes = {
            name: [self.element(app, array, seed + at) for at in range(length)]
            for (array, name), length in zip(self.arrays.items(), lengths, strict=True)
        }
        app.account.edit(self.table, ids=[record], changes=changes)


def _copper_element(_: Any, array: str, number: int) -> Any:  # noqa: ANN401
    return f"tag {number}" if array == "tags" else {"email": f"{number}@example.com", "category": "work"}


def _close_element(_: Any, array: str, number: int) -> Any:  # noqa: ANN401
    if array == "emails":
        return {"email": f"{number}@example.com", "type": "office", "is_unsubscribed": False}
    return {"url": f"https://{number}.example.com", "type": "url"}


def _copera_element(app: Any, array: str, number: int) -> Any:  # noqa: ANN401
    labels = app.account.table_named("Roadmap").column("Labels")
    known = labels.option_ids() if array == "labels" else app.account.ids("members")
    return known[number % len(known)]


CASES = {
    "copper": Case(
        "copper",
        lambda **knobs: app_of(
            copper.copper_app,
            copper.Shape,
            {"seed": SEED, "people": 40, **dict.fromkeys(FEW, 3)},
            **knobs,
        ),
        {"api_key": copper.API_KEY, "user_email": copper.USER_EMAIL},
        "people",
        "people",
        "id",
        "people_id",
        {"emails": "emails", "tags": "tags"},
        _copper_element,
        reconciles=True,
    ),
    "close": Case(
        "close",
        lambda **knobs: app_of(
            close.close_app,
            close.Shape,
            {"seed": SEED, "leads": 10, "contacts": 40, "opportunities": 3, "tasks": 3, "activities": 3, "events": 20},
            **knobs,
        ),
        {"api_key": close.API_KEY},
        "contacts",
        "contacts",
        "id",
        "contacts_id",
        {"emails": "emails", "urls": "urls"},
        _close_element,
        reconciles=False,
    ),
    "copera": Case(
        "copera",
        lambda **knobs: app_of(
            copera.copera_app,
            copera.Shape,
            {"seed": SEED, "rows": {"Roadmap": 40}, "documents": 3, "drive_files": 3, "channels": 3, "comments": 3},
            **knobs,
        ),
        {"api_key": copera.PAT},
        "projects__roadmap",
        "Roadmap",
        "_id",
        "projects__roadmap_id",
        {"labels": "Labels", "who": "Who"},
        _copera_element,
        reconciles=False,
    ),
}


def rows_of(parents: dict[Key, Record], array: str) -> dict[Key, Any]:
    """Return the elements of the arrays of some records, by key and place."""
    return {(*key, at): one for key, record in parents.items() for at, one in enumerate(record.get(array) or [])}


def loaded(target: Target, case: Case, array: str) -> dict[Key, Any]:
    """Return the elements that a child table of a target has, by key and place."""
    found: dict[Key, Any] = {}
    for key, row in target.living(f"{case.parent}__{array}").items():
        rest = {name: value for name, value in row.items() if name not in (case.key_column, "_position")}
        found[key] = rest["value"] if rest.keys() == {"value"} else rest or None
    return found


def assert_children_are_arrays(target: Target, case: Case) -> None:
    """Each child table has just the elements of the arrays that the parent's rows have."""
    for array in case.arrays:
        wanted = {key: exact(one) for key, one in rows_of(target.living(case.parent), array).items()}
        assert loaded(target, case, array) == wanted, array
