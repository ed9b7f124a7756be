"""What the receiver does between requests, and how it keeps many events in one commit."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import asyncio
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tap_crm.inbox import group_commit
from tap_crm.inbox.group_commit import GroupCommit
from tap_crm.inbox.receiver import Receiver
from tap_crm.inbox.settings import InboxSettings
from tap_crm.inbox.spool import Spool, SpoolError
from tests.inbox.deliveries import START, Clock, delivery, kept
from tests.inbox.serving import COPPER, TOKEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    from tap_crm.inbox.entries import Delivery

DAY = 86_400
HEADERS = {name.lower(): value for name, value in COPPER.items()}


@pytest.fixture
def spool(tmp_path: Path, clock: Clock) -> Iterator[Spool]:
    with closing(Spool.open(str(tmp_path / "inbox.sqlite"), now=clock)) as opened:
        yield opened


def receiver_of(spool: Spool, clock: Clock) -> Receiver:
    """Return a receiver that goes by the clock."""
    settings = InboxSettings(address="unused", token=TOKEN, keep_days=7, keep_bytes=1_000)
    return Receiver(settings, spool, clock.seconds, clock.seconds)


async def body_of(text: bytes) -> AsyncIterator[bytes]:
    """Give a body in one part."""
    yield text


def gaps(spool: Spool, provider: str) -> list[str]:
    """Return since when deliveries may be missing."""
    return [event.body.decode() for event in spool.read(provider, 0, 100) if event.kind == "gap"]


# Downtime


@pytest.mark.parametrize(
    ("seconds", "of_copper", "of_close"),
    [(30, [], []), (DAY, [START.isoformat()], []), (4 * DAY, [START.isoformat()], [START.isoformat()])],
)
def test_a_receiver_that_did_not_run_leaves_a_gap_if_the_crm_does_not_come_again(
    spool: Spool, clock: Clock, seconds: int, of_copper: list[str], of_close: list[str]
) -> None:
    """Copper sends once; Close tries for three days. A restart is no gap."""
    spool.append([delivery("a"), delivery("x", "close")])

    async def live() -> None:
        receiver = receiver_of(spool, clock)
        await receiver.start()
        await receiver.stop()

    asyncio.run(live())
    assert gaps(spool, "copper") == []
    clock.move(seconds=seconds)
    asyncio.run(live())
    assert (gaps(spool, "copper"), gaps(spool, "close")) == (of_copper, of_close)


def test_a_receiver_that_runs_notes_it_now_and_then(spool: Spool, clock: Clock) -> None:
    """So a gap begins when it was killed."""
    spool.append([delivery("a")])

    async def live() -> None:
        receiver = receiver_of(spool, clock)
        await receiver.start()
        clock.move(days=1)
        await receiver.look_after()  # and then it is killed

    asyncio.run(live())
    clock.move(days=1)
    assert spool.come_alive() == START.replace(day=2)


# Counts, retention, alarms


def test_refusals_are_counted_in_the_inbox_and_told_in_one_line(
    spool: Spool, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    async def live() -> None:
        receiver = receiver_of(spool, clock)
        for _ in range(5):
            assert await receiver.receive(f"/copper/{TOKEN}", {}, body_of(b"x")) == 401
        assert await receiver.receive("/copper/x", HEADERS, body_of(b"x")) == 401
        _, content = await receiver.health()
        assert content["counters"]["refused"] == 6
        await receiver.look_after()
        await receiver.stop()

    asyncio.run(live())
    assert (spool.counters("copper")["refused"], spool.counters("unknown")["refused"]) == (5, 1)
    assert "requests that did not prove to be the CRM's were refused (copper): 5" in caplog.messages


def test_what_was_used_is_removed_and_what_waits_for_too_long_is_an_alarm(
    spool: Spool, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    spool.append([delivery("used"), delivery("unused")])
    spool.confirm("copper", spool.read("copper", 0, 1)[0].place)
    clock.move(days=8)

    async def live() -> None:
        receiver = receiver_of(spool, clock)
        await receiver.look_after()
        status, content = await receiver.health()
        assert (status, content["status"]) == (200, "alarm")
        assert "copper: 1 events wait to be used, the oldest for 8 days" in content["alarms"][0]
        await receiver.stop()

    asyncio.run(live())
    assert kept(spool) == ["unused"]
    assert any("copper: 1 events wait to be used" in line for line in caplog.messages)


def test_too_much_that_waits_is_an_alarm_too_and_kept(spool: Spool, clock: Clock) -> None:
    spool.append([delivery("x" * 2_000)])

    async def live() -> list[str]:
        receiver = receiver_of(spool, clock)
        await receiver.look_after()
        _, content = await receiver.health()
        await receiver.stop()
        found: list[str] = content["alarms"]
        return found

    assert "more than `inbox_keep_megabytes`" in asyncio.run(live())[0]
    assert len(kept(spool)) == 1


def test_an_inbox_that_cannot_be_read_is_503_in_health_and_no_end(
    spool: Spool, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise SpoolError("the inbox cannot be read: disk I/O error")

    async def live() -> None:
        receiver = receiver_of(spool, clock)
        for name in ("counters", "come_alive", "providers", "retain"):
            monkeypatch.setattr(spool, name, fail)
        await receiver.look_after()
        assert await receiver.health() == (
            503,
            {"status": "failed", "alarms": ["the inbox cannot be read: disk I/O error"]},
        )
        await receiver.stop()

    asyncio.run(live())


# Group commit


class Counting:
    """A spool that counts its commits, and waits in each until it may go on."""

    def __init__(self, spool: Spool) -> None:
        self.commits: list[int] = []
        self.may_go_on = threading.Event()
        self._append = spool.append
        spool.append = self.append  # type: ignore[method-assign]

    def append(self, deliveries: Sequence[Delivery]) -> int:
        """Keep deliveries."""
        self.may_go_on.wait(10)
        self.commits.append(len(deliveries))
        return self._append(deliveries)


def never(_: str) -> int:
    """Tell that a CRM comes again for no time."""
    return 0


def test_what_arrives_during_a_commit_is_kept_by_the_next_one(spool: Spool, clock: Clock) -> None:
    counting = Counting(spool)

    async def live() -> None:
        commits = GroupCommit(spool, never, clock)
        first = asyncio.create_task(commits.keep(delivery("0")))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        others = [asyncio.create_task(commits.keep(delivery(str(number)))) for number in range(1, 30)]
        await asyncio.sleep(0)
        counting.may_go_on.set()
        await asyncio.gather(first, *others)
        await commits.settle()

    asyncio.run(live())
    assert counting.commits == [1, 29]
    assert kept(spool) == [str(number) for number in range(30)]


def test_nobody_is_told_that_it_is_kept_before_it_is(spool: Spool, clock: Clock) -> None:
    counting = Counting(spool)

    async def live() -> None:
        commits = GroupCommit(spool, never, clock)
        task = asyncio.create_task(commits.keep(delivery("a")))
        done, _ = await asyncio.wait([task], timeout=0.1)
        assert not done
        counting.may_go_on.set()
        await task
        await commits.settle()

    asyncio.run(live())


def test_a_commit_is_bounded_and_so_is_what_waits(spool: Spool, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "MOST_BYTES", 10)
    monkeypatch.setattr(group_commit, "MOST_WAITING_BYTES", 30)
    counting = Counting(spool)

    async def live() -> None:
        commits = GroupCommit(spool, never, clock)
        tasks = [asyncio.create_task(commits.keep(delivery("12345"))) for _ in range(6)]
        await asyncio.sleep(0.05)
        with pytest.raises(SpoolError, match="as fast as events arrive"):
            await commits.keep(delivery("1"))
        counting.may_go_on.set()
        await asyncio.gather(*tasks)
        assert commits.unkept == 1
        await commits.settle()

    asyncio.run(live())
    assert counting.commits == [2, 2, 2]
    assert gaps(spool, "copper") == [START.isoformat()]


def test_a_request_that_is_given_up_holds_nobody_else_up(spool: Spool, clock: Clock) -> None:
    counting = Counting(spool)

    async def live() -> None:
        commits = GroupCommit(spool, never, clock)
        tasks = [asyncio.create_task(commits.keep(delivery(text))) for text in "ab"]
        await asyncio.sleep(0.05)
        tasks[0].cancel()
        await asyncio.sleep(0)
        counting.may_go_on.set()
        await tasks[1]
        await commits.settle()

    asyncio.run(live())
    assert kept(spool) == ["a", "b"]


def test_a_fault_that_nobody_expected_is_an_answer_too(
    spool: Spool, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits is told that it was not kept, and the next ones are kept; since when some are missing is noted."""

    def fail(*_: object) -> int:
        raise RuntimeError("no such case")

    async def live() -> None:
        commits = GroupCommit(spool, never, clock)
        with monkeypatch.context() as broken:
            broken.setattr(spool, "append", fail)
            with pytest.raises(SpoolError, match="RuntimeError"):
                await asyncio.wait_for(commits.keep(delivery("a")), 2)
        await commits.keep(delivery("b"))
        await commits.settle()

    asyncio.run(live())
    assert kept(spool) == ["b", START.isoformat()]
    assert gaps(spool, "copper") == [START.isoformat()]


def test_a_gap_that_cannot_be_noted_yet_is_noted_later(
    spool: Spool, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise SpoolError("full")

    async def live() -> None:
        commits = GroupCommit(spool, never, clock)
        with monkeypatch.context() as broken:
            broken.setattr(spool, "append", fail)
            broken.setattr(spool, "note_gap", fail)
            with pytest.raises(SpoolError):
                await commits.keep(delivery("a"))
            await commits.note_gaps()
        clock.move(seconds=60)
        await commits.note_gaps()
        await commits.note_gaps()
        await commits.settle()

    asyncio.run(live())
    assert gaps(spool, "copper") == [START.isoformat()]
