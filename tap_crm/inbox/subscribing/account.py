"""What a sub-command knows and asks: the CRM, the inbox, and where events are received."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from tap_crm import errors
from tap_crm.inbox.entries import Subscription
from tap_crm.inbox.subscribing.line import REFUSED
from tap_crm.ledger import Ledger
from tap_crm.providers.common.receiver_address import address_of, is_receiver
from tap_crm.providers.common.records import decoded, record_in, records_in
from tap_crm.transport.question import Question

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tap_crm.inbox.spool import Spool
    from tap_crm.providers.common.records import Record
    from tap_crm.transport.question import Reply
    from tap_crm.transport.session import Transport

T = TypeVar("T")
#: How often something is asked whose effect is not known, or is looked up and asked again.
ATTEMPTS = 4
_log = logging.getLogger("tap-crm.inbox")


@dataclass(slots=True)
class Account:
    """A CRM's account, as the sub-commands use it.

    Attributes:
        provider: the CRM's name.
        transport: the way to it.
        spool: the inbox.
        token: the secret part of the receiver's address.
        key: tells credentials apart without showing them; empty where they change by themselves.
        place: the receiver's address without the token; None if nobody said it, and nothing is subscribed.
        has_key: a key of signatures is among the settings.
    """

    provider: str
    transport: Transport
    spool: Spool
    token: str
    key: str = ""
    place: str | None = None
    has_key: bool = False
    now: Callable[[], float] = time.time
    ledger: Ledger = field(default_factory=Ledger)

    @property
    def target(self) -> str:
        """The address to which events are sent.

        Raises:
            ConfigError: it is not known.
        """
        if self.place is None:
            raise errors.ConfigError(
                "nothing is subscribed yet, so the receiver's address is not known; run "
                "`tap-crm-inbox subscribe --public-url https://…` first"
            )
        return address_of(self.place, self.token)

    # What the inbox knows

    def known(self) -> dict[str, Subscription]:
        """Return the subscriptions that were made by us, by their ids."""
        return {one.id: one for one in self.spool.subscriptions(self.provider) if one.what != REFUSED}

    def refused(self) -> set[str]:
        """Return what the CRM did not take when it was last asked."""
        found = self.spool.subscriptions(self.provider)
        return {one.id.removeprefix(f"{REFUSED} ") for one in found if one.what == REFUSED}

    def place_among(self, hooks: Callable[[], Iterable[Record]], address: str) -> str | None:
        """Return the receiver's address without the token, as the inbox or else the CRM has it.

        Args:
            hooks: asks for the CRM's subscriptions.
            address: the field in which they have theirs.
        """
        for one in self.known().values():
            if one.target:
                return one.target
        for hook in hooks():
            if is_receiver(hook.get(address), self.provider, self.token):
                return str(hook[address]).rstrip("/").rpartition("/")[0]
        return None

    def remember(self, number: str, what: str, signature_key: str | None = None) -> None:
        """Keep a subscription, durably."""
        made_at = datetime.fromtimestamp(self.now(), UTC)
        self.spool.remember(Subscription(self.provider, number, what, made_at, self.place or "", signature_key))

    def remember_refusals(self, refused: set[str]) -> None:
        """Keep what the CRM does not take, so that it does not count as missing."""
        before = self.refused()
        for what in sorted(before - refused):
            self.spool.forget(self.provider, f"{REFUSED} {what}")
        for what in sorted(refused - before):
            self.remember(f"{REFUSED} {what}", REFUSED)

    def forget(self, number: str) -> None:
        """Keep a subscription no longer."""
        self.spool.forget(self.provider, number)

    def is_own(self, number: str, address: object) -> bool:
        """Tell whether a subscription was made by us: the inbox knows it, or it has our token in its address."""
        return number in self.known() or is_receiver(address, self.provider, self.token)

    def note_gap(self, reason: str, since: datetime | None = None) -> None:
        """Note that events may be missing: since the last one that came, or else since a time; else nothing is."""
        last = self.last_event() or since
        if last is not None:
            self.spool.note_gap(self.provider, last, reason)
            _log.info("%s: events may be missing since %s; the next run of the tap looks", self.provider, _text(last))

    def last_event(self) -> datetime | None:
        """Return when the last event came; None if none did, or it is gone from the inbox."""
        newest = self.spool.newest(self.provider)
        found = self.spool.read(self.provider, newest - 1, 1) if newest else []
        if found and found[0].kind == "gap":
            return datetime.fromisoformat(found[0].body.decode())
        return found[0].received_at if found else None

    # What the CRM is asked

    def ask(self, question: Question, parse: Callable[[Reply], T]) -> T:
        """Ask once; see :meth:`Transport.ask`.

        Raises:
            ReadError: what the CRM refuses, with what to do about it where it is a matter of rights.
        """
        try:
            return self.transport.ask(replace(question, secrets=(self.token,)), parse, self.ledger)
        except errors.Forbidden as refusal:
            raise errors.Forbidden(
                f"{refusal}; the key's user may not manage webhooks: use an administrator's key", said=refusal.said
            ) from None

    def list(self, path: str, within: str | None = None) -> list[Record]:
        """Return the subscriptions that the key sees; an empty list is asked for twice."""
        question = Question("GET", path, "webhook subscriptions")

        def asked() -> list[Record]:
            return self.ask(question, lambda reply: records_in(decoded(reply), "id", within=within))

        return asked() or asked()

    def exists(self, path: str) -> bool:
        """Tell whether a subscription is there, by asking for it alone."""
        try:
            self.ask(Question("GET", path, "webhook subscription"), lambda reply: record_in(decoded(reply)))
        except errors.NotThere:
            return False
        return True

    def create(self, path: str, body: Mapping[str, Any], label: str) -> Record:
        """Ask to create a subscription, once.

        Raises:
            EffectUnknown: nothing tells whether it was created.
        """
        question = Question("POST", path, label, body=body, writes=True)
        return self.ask(question, lambda reply: record_in(decoded(reply), "id"))

    def change(self, path: str, body: Mapping[str, Any], label: str) -> None:
        """Change a subscription; what is sent twice has no other effect."""
        self._insist(Question("PUT", path, label, body=body, writes=True))

    def delete(self, path: str, label: str) -> None:
        """Delete a subscription; one that is gone already is as good."""
        try:
            self._insist(Question("DELETE", path, label, writes=True))
        except errors.NotThere:
            return

    def _insist(self, question: Question) -> None:
        for left in reversed(range(ATTEMPTS)):
            try:
                return self.ask(question, lambda _: None)
            except errors.EffectUnknown:
                if not left:
                    raise
        return None


def moment_of(value: object) -> datetime | None:
    """Return a time of the CRM, given as epoch seconds or as ISO text with or without a zone; None for other values."""
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return datetime.fromtimestamp(0, UTC) + timedelta(seconds=value)
    except (ValueError, OverflowError):
        pass
    return None


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
