"""Whatever arrives at the inbox: what was answered by 200 is kept, nothing else is, and the tap loads the truth."""

from __future__ import annotations

import json
import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tap_crm.inbox import receiver, server
from tap_crm.inbox.entries import Delivery, Subscription
from tap_crm.inbox.spool import Spool
from tap_crm.providers import PROVIDERS
from tests.hints.tellers import TELLERS
from tests.inbox.serving import KEY, TOKEN, receiving
from tests.proof.arriving import odd_bodies, send, wire_faults
from tests.proof.cells import of_any_run
from tests.proof.operations import in_memory
from tests.proof.seam import answered_by
from tests.proof.virtual_time import virtual_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.proof.accounts import Account
    from tests.proof.conftest import AccountOf

#: The CRMs that send events, from the registry.
SENDERS = sorted(name for name, one in PROVIDERS.items() if one.events is not None)
BOOKING = b'{"event": "booking.created", "booking": {"uid": "b1", "status": "ACCEPTED"}}'
#: Streams that are read by what events tell, or that are told of.
STREAMS = {"copper": ("people", "companies"), "close": ("leads", "contacts"), "copera": ("bookings",)}
#: Seconds of a processor that a run may take, whatever waits for it.
LONGEST = 30.0


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder in memory."""
    with in_memory() as made:
        yield made


def opened(folder: Path) -> Spool:
    """Open the inbox, which knows the key of a subscription of Close's."""
    spool = Spool.open(str(folder / "inbox.sqlite"))
    spool.remember(Subscription("close", "whsub_1", "all", datetime.now(UTC), "https://example.com", KEY))
    return spool


def kept(spool: Spool, crm: str) -> list[bytes]:
    """Return the bodies that an inbox has."""
    found: list[bytes] = []
    after = 0
    while events := spool.read(crm, after, 500):
        found += [bytes(one.body) for one in events]
        after = events[-1].place
    return found


@pytest.mark.parametrize("crm", SENDERS)
def test_what_is_answered_by_200_is_kept_once_and_nothing_else_is(
    crm: str, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Each fault of the way, one after the other, and a receiver that ends and begins again between them."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(receiver, "BODY_SECONDS", 0.3)
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.3)
    body = {"copera": BOOKING}.get(crm, b'{"ids":[7],"type":"person","event":"update"}')
    faults = list(wire_faults(crm, body))
    held: list[bytes] = []
    refused = 0
    for part in (faults[::2], faults[1::2]):
        spool = opened(folder)
        with receiving(spool, signature_key=KEY if crm == "copera" else None) as url:
            for name, sent in part:
                status = send(url, sent)
                assert status in sent.statuses, f"{crm}, {name}: answered by {status}"
                if status == 200:
                    held.append(sent.body)
                refused += status == 401
                if sent.is_open and status != 200:
                    time.sleep(0.2)  # nobody heard how it ended, or whether
                    held += [sent.body] * (kept(spool, crm) == [*held, sent.body])
                assert kept(spool, crm) == held, f"{crm}, {name}: kept otherwise than answered ({status})"
        spool.close()
    again = opened(folder)
    assert kept(again, crm) == held
    assert refused <= again.counters()["refused"] <= refused + 1  # one of them heard of 400 instead
    again.close()
    assert len(held) > 4
    said = caplog.text
    assert TOKEN not in said
    assert KEY not in said
    assert "Traceback" not in said
    assert "Exception" not in said


def told(account: Account, crm: str) -> list[bytes]:
    """Return what the CRM sends of what is there, of what is gone, of what never was, and of another account's."""
    if crm not in TELLERS:
        return [BOOKING]
    teller = TELLERS[crm]
    found: list[bytes] = []
    for stream in STREAMS[crm]:
        for app in (account.server.app, account.other.app):
            keys: list[Any] = list(app.account.ids(stream))[:4]
            for what in ("new", "update", "delete"):
                found += teller.events(app, stream, [*keys, teller.forged(1)], what)
    return found


@pytest.mark.parametrize("crm", SENDERS)
def test_whatever_waits_the_run_loads_the_truth(
    crm: str,
    folder: Path,
    account_of: AccountOf,
    monkeypatch: pytest.MonkeyPatch,
    unmeasured: None,  # noqa: ARG001
) -> None:
    """Events that are broken, changed, of another account, of no record, old, twice, in any order: no row is false."""
    account = account_of(crm)
    events = told(account, crm)
    waiting = [*odd_bodies(sample(events)), *events, *reversed(events), *events[:3]]
    spool = Spool.open(str(folder / "inbox.sqlite"))
    moments = [datetime(year, 1, 1, tzinfo=UTC) for year in (1971, 2026, 2200)]
    spool.append([Delivery(crm, body, moments[at % 3], stale=at % 5 == 0) for at, body in enumerate(waiting)])
    streams, runs, state = STREAMS[crm], [], None
    began = time.process_time()
    with virtual_time() as clock, answered_by(account.server, clock.wait), monkeypatch.context() as patch:
        patch.setitem(account.tap.config, "inbox", str(folder / "inbox.sqlite"))
        for _ in range(2):
            runs.append(account.run(streams, is_first=False, state=state))
            state = runs[-1].state
            clock.wait(3_600.0)
    took = time.process_time() - began
    assert [run.code for run in runs] == [0, 0], runs[0].said()[-2000:]
    if crm in TELLERS:
        assert sum(runs[0].audit()[stream]["hints"] for stream in streams) > 0
    for run in runs:
        assert not list(of_any_run(account, run))
        assert TOKEN not in run.log
    for stream in streams:
        assert not account.differences(stream, *runs, is_first=False), (crm, stream)
    assert took < LONGEST, f"{took:.0f} s for {len(waiting)} events"
    spool.close()


def sample(events: Iterable[bytes]) -> list[bytes]:
    """Return one event of each kind."""
    found: dict[str, bytes] = {}
    for body in events:
        event = json.loads(body)
        inner = event.get("event") if isinstance(event.get("event"), dict) else event
        found.setdefault(f"{inner.get('type')} {inner.get('object_type')} {inner.get('action')}", body)
    return list(found.values())[:2]
