"""What Close gives of an organization: itself, its memberships, its groups (developer.close.com: organizations)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.messages import Page
from tap_crm.providers.close.answers import get
from tap_crm.providers.close.lists import ListListing
from tap_crm.providers.common.records import decoded, record_in
from tap_crm.providers.common.whole_list import ask_once
from tap_crm.reading.offset import OffsetReader
from tap_crm.transport.question import Doubtful

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_crm.contract.stream import Reading
    from tap_crm.messages import Item
    from tap_crm.providers.common.records import Record
    from tap_crm.transport.question import Reply

_EXPANDED = {"_expand": "memberships__user,inactive_memberships__user"}


def one_object(reply: Reply) -> Record:
    """Return an answer that is one object with an id."""
    return record_in(decoded(reply), "id")


def object_of(reply: Reply) -> Record:
    """Return an answer that is one object."""
    return record_in(decoded(reply))


def all_records(
    reading: Reading, listing: ListListing, *, doubtful: bool, is_short: Callable[[int], bool] = lambda _: False
) -> list[Record]:
    """Return the records of a list, decoded, in the order in which they came."""
    found: list[Record] = []

    def take(item: Item) -> None:
        found.extend(item.decoded() if isinstance(item, Page) else ())

    OffsetReader(listing, take, reading.ledger, doubtful, is_short=is_short).read()
    return found


def _organization_ids(reply: Reply) -> list[str]:
    """Return the organizations of the key's user; a key belongs to one, its user may belong to several."""
    me = one_object(reply)
    named = [part.get("id") if isinstance(part, dict) else part for part in me.get("organizations") or ()]
    named += [part.get("organization_id") for part in me.get("memberships") or () if isinstance(part, dict)]
    found = list(dict.fromkeys(str(name) for name in named if name))
    if not found:
        raise Doubtful("the answer names no organization")
    return found


def organization_ids(reading: Reading) -> list[str]:
    """Return the organization that the key opens; several if it may read several."""
    named = _named(reading)
    return named if len(named) == 1 else [record["id"] for record in _readable(reading)[0]]


def _named(reading: Reading) -> list[str]:
    """Return the organizations of the key's user; asked once per run."""

    def ask() -> list[str]:
        return ask_once(reading, get("/me/", f"{reading.spec.name}: me"), _organization_ids)

    return reading.once_per_run.get("me", ask)


def organizations(reading: Reading) -> list[Record]:
    """Return the organizations that the key may read, with their memberships; what it may not read is a gap.

    Raises:
        Forbidden, NotThere: it may read none.
    """
    found, refused = _readable(reading)
    for refusal in refused:  # whichever stream asked
        reading.ledger.gap(f"an organization of the key's user is not readable with this key: {refusal}")
    return found


def _readable(reading: Reading) -> tuple[list[Record], list[errors.FinalWord]]:
    """Return the organizations that the key may read, and what kept it from reading others; asked once per run."""

    def ask() -> tuple[list[Record], list[errors.FinalWord]]:
        found: list[Record] = []
        refused: list[errors.FinalWord] = []
        for key in _named(reading):
            reading.ledger.add(pages=1)
            try:
                found.append(_organization(reading, key))
            except (errors.Forbidden, errors.NotThere) as error:  # one that this key does not belong to
                refused.append(error)
        if not found:
            raise refused[0]
        return found, refused

    return reading.once_per_run.get("organizations", ask)


def _organization(reading: Reading, key: str) -> Record:
    label = f"{reading.spec.name}: organization"
    try:
        record: Record = reading.ask(get(f"/organization/{key}/", label, _EXPANDED), one_object)
    except errors.Refused:
        record = reading.ask(get(f"/organization/{key}/", label), one_object)
    return record


class Organization:
    """The stream ``organization``: without its memberships, which are a stream of their own."""

    def read(self, reading: Reading) -> None:
        """Read the organizations of the key's user."""
        nested = ("memberships", "inactive_memberships")
        reading.emit_records(
            [
                {name: value for name, value in record.items() if name not in nested}
                for record in organizations(reading)
            ],
        )

    def probe(self, reading: Reading) -> None:
        """Ask whose key this is, and for the organization."""
        organizations(reading)


class Memberships:
    """The stream ``memberships``: who belongs to an organization, and who did."""

    def read(self, reading: Reading) -> None:
        """Read the memberships in the organization's record; there is no list of them."""
        found: list[Record] = []
        for record in organizations(reading):
            for name, is_active in (("memberships", True), ("inactive_memberships", False)):
                members = record.get(name) or ()
                if any("user" not in member for member in members):
                    reading.ledger.note(f"{name}: Close gives no `user` of some, though it is asked for")
                reading.lists.note(name, len(members))
                found += [{**member, "organization_id": record["id"], "is_active": is_active} for member in members]
        reading.emit_records(found)

    def probe(self, reading: Reading) -> None:
        """Ask for the organization, unless it was just asked for."""
        organizations(reading)


class Groups:
    """The stream ``groups``: the list leaves the members out, so each group is asked for."""

    def read(self, reading: Reading) -> None:
        """Read the list, then each group."""
        lists = reading.lists
        listing = ListListing(reading, "/group/")
        listed = all_records(reading, listing, doubtful=lists.is_doubtful(), is_short=lists.is_short)
        groups = []
        for group in listed:
            try:
                groups.append(ask_once(reading, get(f"/group/{group['id']}/", "groups, one group"), one_object))
            except errors.NotThere:
                continue  # deleted since it was listed
        if groups:
            reading.emit(Page(records=groups))

    def probe(self, reading: Reading) -> None:
        """Ask for the list."""
        ListListing(reading, "/group/").ask_from(0)
