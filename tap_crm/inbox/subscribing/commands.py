"""The command lines of ``subscribe``, ``status``, ``repair`` and ``unsubscribe``."""

from __future__ import annotations

import hashlib
import sys
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click
import msgspec

from tap_crm import errors
from tap_crm.config.config_option import config_option
from tap_crm.config.kinds import is_loopback
from tap_crm.contract.command import DONE
from tap_crm.contract.connection import connect
from tap_crm.contract.signals import FAILED
from tap_crm.inbox.alarms import alarms_of
from tap_crm.inbox.settings import settings_from
from tap_crm.inbox.spool import Spool
from tap_crm.inbox.subscribing.account import Account
from tap_crm.inbox.subscribing.registry import SUBSCRIBERS
from tap_crm.inbox.subscribing.report import write_table
from tap_crm.providers import PROVIDERS
from tap_crm.providers.common.receiver_address import place_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_crm.config.settings import Settings
    from tap_crm.inbox.settings import InboxSettings
    from tap_crm.inbox.subscribing.line import Line
    from tap_crm.inbox.subscribing.subscriber import Subscriber

#: Somebody is watching: answers are not retried for as long as in a nightly job.
MOST_RETRY_SECONDS = 60.0
_json = click.option("--json", "as_json", is_flag=True, help="Write JSON instead of a table.")


@click.command()
@config_option
@click.option("--public-url", required=True, help="Where the receiver is reached: https://host, maybe with a prefix.")
@_json
def subscribe(*, configs: Sequence[str], public_url: str, as_json: bool) -> int:
    """Let the CRM send its events to PUBLIC_URL/{provider}/{inbox_token}: make what is missing, mend what is wrong.

    Subscriptions of others are never touched. Run it as often as you like.
    """
    settings, inbox = settings_from(configs)
    place = place_of(checked_url(public_url), settings.provider)
    with _opened(settings, inbox) as (account, subscriber):
        account.place = place
        return _told(account, subscriber.mend(), inbox, as_json=as_json)


@click.command()
@config_option
@_json
def status(*, configs: Sequence[str], as_json: bool) -> int:
    """Show what is subscribed. Exit 1 if something is missing, paused or dead."""
    settings, inbox = settings_from(configs)
    with _opened(settings, inbox) as (account, subscriber):
        account.place = subscriber.place()
        return _told(account, subscriber.status(), inbox, as_json=as_json)


@click.command()
@config_option
@_json
def repair(*, configs: Sequence[str], as_json: bool) -> int:
    """Make anew what is missing or dead, reactivate what is paused, and let the tap look for what was missed."""
    settings, inbox = settings_from(configs)
    with _opened(settings, inbox) as (account, subscriber):
        account.place = subscriber.place()
        return _told(account, subscriber.mend(), inbox, as_json=as_json)


@click.command()
@config_option
@_json
def unsubscribe(*, configs: Sequence[str], as_json: bool) -> int:
    """Take away the subscriptions that were made by this command, and no others; the inbox keeps its events."""
    settings, inbox = settings_from(configs)
    with _opened(settings, inbox) as (account, subscriber):
        return _told(account, subscriber.remove(), inbox, as_json=as_json)


def checked_url(url: str) -> str:
    """Return the public address without a slash at its end.

    Raises:
        ConfigError: it is not one of https, or of this machine.
    """
    wrong = errors.ConfigError(
        "`--public-url` must be an https:// address, or an http:// one of this machine for tests"
    )
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise wrong from None
    is_bare = not (parts.query or parts.fragment or parts.username or parts.password)
    if not host or not is_bare or parts.scheme not in ("https", "http"):
        raise wrong
    if parts.scheme == "http" and not is_loopback(host):
        raise wrong
    return parts.geturl().rstrip("/")


@contextmanager
def _opened(settings: Settings, inbox: InboxSettings) -> Iterator[tuple[Account, Subscriber]]:
    stopping = threading.Event()
    transport = connect(settings, PROVIDERS[settings.provider], stopping)
    transport.retry_seconds = min(transport.retry_seconds, MOST_RETRY_SECONDS)
    with closing(Spool.open(inbox.address)) as spool:
        account = Account(
            settings.provider,
            transport,
            spool,
            inbox.token,
            key=_mark(settings.api_key),
            has_key=inbox.signature_key is not None,
        )
        try:
            yield account, SUBSCRIBERS[settings.provider](account)
        finally:
            stopping.set()
            transport.settle()


def _mark(key: str | None) -> str:
    """Return what tells a key apart from another without showing it."""
    return "" if key is None else hashlib.sha256(key.encode()).hexdigest()[:12]


def _told(account: Account, lines: list[Line], inbox: InboxSettings, *, as_json: bool) -> int:
    alarms = alarms_of(account.spool, inbox)
    last = account.last_event()
    report: dict[str, Any] = {
        "provider": account.provider,
        "receiver": account.place,
        "subscriptions": [line.as_json() for line in lines],
        "last_event": None if last is None else last.isoformat(timespec="seconds"),
        "counters": account.spool.counters(account.provider),
        "alarms": alarms,
    }
    if as_json:
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    else:
        write_table(report, lines, sys.stdout)
    return FAILED if any(line.is_bad for line in lines) else DONE
