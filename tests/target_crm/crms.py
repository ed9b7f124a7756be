"""The CRMs that the suite for every one of them writes to: an account, and the words for what is written."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from tests.target_crm.close_account import CloseAccount, close_account
from tests.target_crm.copera_account import PEOPLE, CoperaAccount, copera_account
from tests.target_crm.copper_double import EXTERNAL, CopperDouble
from tests.target_crm.doors import Door
from tests.target_crm.running import CREDENTIALS, Bench

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

Record = dict[str, Any]


class Crm(Protocol):
    """An account, in words that all CRMs have."""

    stream: str
    """The stream that is written."""
    text: str
    """A field of it that is a text."""
    changed: str
    """The field with the time of the last change."""
    unanswerable: str
    """What the CRM says of a record that it refuses."""
    external: str
    """The field that keeps our own key."""

    @property
    def transport(self) -> Any:  # noqa: ANN401
        """What the writer asks."""

    @property
    def credentials(self) -> Record:
        """Settings of the connection."""

    def put(self, key: str, text: str, name: str = "") -> str:
        """Make a record of this key; return its id."""

    def names(self) -> Counter[str]:
        """How often each name is there."""

    def texts(self) -> dict[str, str]:
        """The text of each record by its name."""

    def bad(self, row: Record) -> Record:
        """Make of a record one that the CRM refuses."""

    def change(self, key: Any, text: str) -> None:  # noqa: ANN401 - an id
        """Change a record's text, as a person would."""

    def remove(self, key: Any) -> None:  # noqa: ANN401 - an id
        """Delete a record, as a person would."""

    def become_another(self) -> None:
        """Answer as another account from now on."""


class CopperCrm:
    """Copper's people."""

    stream, text, changed = "people", "title", "date_modified"
    unanswerable, external = "Title: is too long", "custom_our_key"

    def __init__(self) -> None:
        self.transport = CopperDouble()
        self.transport.refuses = lambda body: self.unanswerable if body.get("title") == "bad" else None
        self.credentials = CREDENTIALS

    def put(self, key: str, text: str, name: str = "") -> str:
        """Make a person."""
        custom = [{"custom_field_definition_id": EXTERNAL, "value": key}]
        return str(self.transport.add("people", name=name or f"Name {key}", title=text, custom_fields=custom)["id"])

    def names(self) -> Counter[str]:
        """How often each name is there."""
        return self.transport.counted("people", "name")

    def texts(self) -> dict[str, str]:
        """Titles by name."""
        return {row["name"]: row["title"] for row in self.transport.rows("people")}

    def bad(self, row: Record) -> Record:
        """Give it a title that is refused."""
        return {**row, "title": "bad"}

    def change(self, key: Any, text: str) -> None:  # noqa: ANN401 - an id
        """Give a person another title."""
        self.transport.tables["people"][key]["title"] = text

    def remove(self, key: Any) -> None:  # noqa: ANN401 - an id
        """Delete a person."""
        del self.transport.tables["people"][key]

    def become_another(self) -> None:
        """Answer with another id of the account."""
        self.transport.account += 1


class CloseCrm:
    """Close's leads."""

    stream, text, changed = "leads", "description", "date_updated"
    unanswerable, external = "There is no lead_statuses with this id", "custom_our_key"

    def __init__(self, account: CloseAccount) -> None:
        self.transport = account
        self.credentials = account.credentials
        self._key = account.keys["lead"]

    def put(self, key: str, text: str, name: str = "") -> str:
        """Make a lead."""
        made = self.transport.add("leads", name=name or f"Name {key}", description=text, **{f"custom.{self._key}": key})
        return str(made["id"])

    def names(self) -> Counter[str]:
        """How often each name is there."""
        return self.transport.counted("leads", "name")

    def texts(self) -> dict[str, str]:
        """Descriptions by name."""
        return {row["name"]: row["description"] for row in self.transport.rows("leads")}

    def bad(self, row: Record) -> Record:
        """Give it a status that is not there."""
        return {**row, "status_id": "stat_none"}

    def change(self, key: Any, text: str) -> None:  # noqa: ANN401 - an id
        """Give a lead another description."""
        self.transport.change("leads", key, description=text)

    def remove(self, key: Any) -> None:  # noqa: ANN401 - an id
        """Delete a lead."""
        assert self.transport.client.delete(f"lead/{key}").ok

    def become_another(self) -> None:
        """Answer with another id of the organization."""
        self.transport.app.account.source.organization_id = "orga_another"


class CoperaCrm:
    """Rows of a table of Copera's."""

    stream, text, changed = PEOPLE, "title", "updatedAt"
    unanswerable, external = "value of Company", "our_key"

    def __init__(self, account: CoperaAccount) -> None:
        self.transport = account
        self.credentials = account.credentials

    def put(self, key: str, text: str, name: str = "") -> str:
        """Make a row."""
        made = self.transport.add(PEOPLE, Name=name or f"Name {key}", Title=text, **{"Our key": key})
        return str(made["_id"])

    def names(self) -> Counter[str]:
        """How often each name is there."""
        return Counter(row["Name"] for row in self.transport.rows(PEOPLE))

    def texts(self) -> dict[str, str]:
        """Titles by name."""
        return {row["Name"]: row["Title"] for row in self.transport.rows(PEOPLE)}

    def bad(self, row: Record) -> Record:
        """Link it to a row that is not there."""
        return {**row, "company": ["f" * 24]}

    def change(self, key: Any, text: str) -> None:  # noqa: ANN401 - an id
        """Give a row another title."""
        self.transport.change(PEOPLE, key, Title=text)

    def remove(self, key: Any) -> None:  # noqa: ANN401 - an id
        """Delete a row."""
        assert self.transport.client.delete(f"{self.transport.path(PEOPLE)}/row/{key}").ok

    def become_another(self) -> None:
        """Answer with another id of the workspace."""
        self.transport.app.account.workspace["_id"] = "f" * 24


@contextmanager
def copper() -> Iterator[CopperCrm]:
    """Open an account of Copper's."""
    yield CopperCrm()


@contextmanager
def close() -> Iterator[CloseCrm]:
    """Open an account of Close's."""
    with close_account() as account:
        yield CloseCrm(account)


@contextmanager
def copera() -> Iterator[CoperaCrm]:
    """Open a workspace of Copera's."""
    with copera_account(rejected_values="refused") as account:
        yield CoperaCrm(account)


CRMS: dict[str, Callable[[], AbstractContextManager[Crm]]] = {"copper": copper, "close": close, "copera": copera}


@dataclass
class Account:
    """A CRM, the door before it, and what writes to it."""

    crm: Crm
    folder: Path

    def __post_init__(self) -> None:
        """Open the door."""
        self.door = Door(self.crm.transport)
        self.bench = Bench(self.folder, self.door, self.crm.credentials)

    @property
    def keyed(self) -> Record:
        """Settings of the stream: our own key, kept in a custom field."""
        return {"match": ["key"], "external_id": self.crm.external}

    def reopened(self) -> Account:
        """The same account and folder after the process died."""
        return Account(self.crm, self.folder)

    def row(self, at: int, text: str = "A", **more: Any) -> Record:  # noqa: ANN401
        """A record."""
        return {"key": f"k{at}", "name": f"Name k{at}", self.crm.text: text, **more}
