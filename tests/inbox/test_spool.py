"""What the inbox keeps: in order, never twice under one place, until it was used; in SQLite and in PostgreSQL."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tap_crm.errors import ConfigError
from tap_crm.inbox import database
from tap_crm.inbox import spool as spool_module
from tap_crm.inbox.entries import Delivery, Subscription
from tap_crm.inbox.spool import Spool, SpoolError
from tests.inbox.deliveries import START, Clock, bodies, delivery, kept

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOUR = timedelta(hours=1)


def test_what_was_appended_is_read_in_its_order(spool: Spool) -> None:
    first = spool.append([delivery("a"), delivery("b", stale=True)])
    last = spool.append([delivery("c", at=START + HOUR)])
    events = spool.read("copper", 0, 10)
    assert bodies(events) == ["a", "b", "c"]
    assert [(event.kind, event.stale) for event in events] == [
        ("delivery", False),
        ("delivery", True),
        ("delivery", False),
    ]
    assert [event.received_at for event in events] == [START, START, START + HOUR]
    assert [event.place for event in events] == sorted({event.place for event in events})
    assert (events[1].place, events[2].place, spool.newest("copper")) == (first, last, last)


def test_a_reader_goes_on_after_its_place_and_sees_its_crm_alone(spool: Spool) -> None:
    spool.append([delivery("a"), delivery("x", "close"), delivery("b"), delivery("c")])
    place = spool.read("copper", 0, 2)[-1].place
    assert bodies(spool.read("copper", place, 10)) == ["c"]
    assert bodies(spool.read("close", 0, 10)) == ["x"]
    assert spool.read("copera", 0, 10) == []
    assert spool.newest("copera") == 0


def test_a_body_is_kept_byte_by_byte(spool: Spool) -> None:
    body = bytes(range(256)) * 3
    spool.append([Delivery("copper", body, START)])
    assert spool.read("copper", 0, 1)[0].body == body


def test_large_events_are_read_few_at_a_time(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded; an event that is larger than the bound alone is read nevertheless."""
    monkeypatch.setattr(spool_module, "MOST_BYTES", 10)
    spool.append([delivery("x" * 6), delivery("y" * 4), delivery("z"), delivery("w" * 30)])
    assert bodies(spool.read("copper", 0, 100)) == ["x" * 6, "y" * 4]
    assert kept(spool) == ["x" * 6, "y" * 4, "z", "w" * 30]


def test_nothing_to_append_changes_nothing(spool: Spool) -> None:
    last = spool.append([delivery("a")])
    assert spool.append([]) == last
    assert kept(spool) == ["a"]


def test_a_gap_has_a_place_and_tells_since_when(spool: Spool) -> None:
    spool.append([delivery("a", "close")])
    place = spool.note_gap("close", START - HOUR, "nobody listened")
    event = spool.read("close", 0, 10)[1]
    assert (event.kind, event.place) == ("gap", place)
    assert datetime.fromisoformat(event.body.decode()) == START - HOUR
    assert spool.counters()["gaps"] == 1


def test_places_are_never_given_twice_after_events_were_removed(spool: Spool, address: str, clock: Clock) -> None:
    """Also by who opens the inbox anew when it is empty, and when the clock went back."""
    last = spool.append([delivery("a"), delivery("b")])
    spool.confirm("copper", last)
    assert spool.retain(days=0, most_bytes=0) == 2
    clock.move(days=-30)
    with closing(Spool.open(address, now=clock)) as other:
        assert other.append([delivery("c")]) > last


def test_an_inbox_made_anew_gives_no_place_of_the_old_one(tmp_path: Path, clock: Clock) -> None:
    """A state that remembers a place of the old one would pass what waits in the new one."""
    path = tmp_path / "inbox.sqlite"
    with closing(Spool.open(str(path), now=clock)) as old:
        place = old.append([delivery("a"), delivery("b")])
    for file in tmp_path.iterdir():
        file.unlink()
    clock.move(seconds=1)
    with closing(Spool.open(str(path), now=clock)) as new:
        new.append([delivery("c")])
        assert bodies(new.read("copper", place, 10)) == ["c"]


def test_no_event_appears_below_a_place_that_a_reader_has_seen(address: str) -> None:
    """Several receivers append at once; a reader that only goes on sees all, once, in order."""
    spools = [Spool.open(address) for _ in range(3)]

    def write(number: int) -> None:
        for at in range(25):
            spools[number % 2].append([delivery(f"{number}-{at}-{part}") for part in range(2)])

    seen: list[str] = []
    after = 0
    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(write, number) for number in range(4)]
        while len(seen) < 200:
            if all(one.done() for one in writing) and after == spools[2].newest("copper"):
                break
            for event in spools[2].read("copper", after, 7):
                after = event.place
                seen.append(event.body.decode())
        for one in writing:
            one.result()
    for opened in spools:
        opened.close()
    assert sorted(seen) == sorted(f"{number}-{at}-{part}" for number in range(4) for at in range(25) for part in "01")


def test_a_receiver_waits_for_another_one_that_has_its_places_and_no_commit_yet(
    new_database: Callable[[], str], clock: Clock
) -> None:
    """In PostgreSQL, a later place could else be seen before an earlier one."""
    address = new_database()
    spool = Spool.open(address, now=clock)
    engine = sa.create_engine(address)
    appended = threading.Event()
    with engine.connect() as other:
        other.execute(sa.text("UPDATE tap_crm_inbox_places SET last = last"))  # as an append does before its commit

        def append() -> None:
            spool.append([delivery("a")])
            appended.set()

        thread = threading.Thread(target=append)
        thread.start()
        assert not appended.wait(0.3)
        assert spool.read("copper", 0, 1) == []
        other.commit()
        thread.join(10)
    assert kept(spool) == ["a"]
    spool.close()
    engine.dispose()


def test_a_lock_that_is_never_let_go_is_an_error_after_a_while(
    spool: Spool, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the receiver answers 503, and the CRM comes again."""
    monkeypatch.setattr(database, "LOCK_SECONDS", 0.2)
    monkeypatch.setattr(database, "_LASTING", sa.text("SELECT set_config('lock_timeout', '200ms', true)"))
    engine = sa.create_engine(address if "://" in address else f"sqlite:///{address}")
    with closing(Spool.open(address)) as impatient, engine.connect() as other:
        other.execute(sa.text("UPDATE tap_crm_inbox_places SET last = last"))
        with pytest.raises(SpoolError, match="the inbox cannot be written"):
            impatient.append([delivery("a")])
    engine.dispose()
    spool.append([delivery("b")])
    assert kept(spool) == ["b"]


# What is removed


def test_only_used_events_are_removed_however_old(spool: Spool, clock: Clock) -> None:
    spool.append([delivery("a"), delivery("b"), delivery("c")])
    spool.confirm("copper", spool.read("copper", 0, 10)[1].place)
    clock.move(days=365)
    assert spool.retain(days=7, most_bytes=0) == 2
    assert kept(spool) == ["c"]


def test_used_events_are_kept_for_some_days(spool: Spool, clock: Clock) -> None:
    spool.append([delivery("a")])
    spool.append([delivery("b", at=START + 24 * HOUR)])
    spool.confirm("copper", spool.newest("copper"))
    clock.move(days=7, seconds=1)
    assert spool.retain(days=7, most_bytes=10**9) == 1
    assert kept(spool) == ["b"]


def test_used_events_go_earlier_beyond_a_size_the_oldest_first(spool: Spool) -> None:
    spool.append([delivery("a" * 10), delivery("b" * 10), delivery("c" * 10), delivery("d" * 10)])
    spool.confirm("copper", spool.read("copper", 0, 10)[2].place)
    assert spool.retain(days=7, most_bytes=25, at_once=1) == 2
    assert kept(spool) == ["c" * 10, "d" * 10]
    assert spool.counters()["bytes"] == 20


def test_each_crm_is_kept_by_its_own_confirmations(spool: Spool) -> None:
    spool.append([delivery("a"), delivery("x", "close")])
    spool.confirm("copper", spool.newest("copper"))
    spool.retain(days=0, most_bytes=0)
    assert (kept(spool), kept(spool, "close")) == ([], ["x"])


def test_a_place_that_was_never_given_frees_nothing_that_comes_later(spool: Spool) -> None:
    """A state may be of another inbox."""
    spool.append([delivery("a")])
    spool.confirm("copper", spool.newest("copper") * 2)
    spool.append([delivery("b")])
    spool.retain(days=0, most_bytes=0)
    assert kept(spool) == ["b"]


def test_a_confirmation_never_goes_back(spool: Spool) -> None:
    """A run that began earlier may end later."""
    spool.append([delivery("a"), delivery("b")])
    first, second = (event.place for event in spool.read("copper", 0, 10))
    spool.confirm("copper", second)
    spool.confirm("copper", first)
    assert spool.counters()["waiting"] == 0


def test_a_reader_that_was_away_can_tell_that_events_were_removed(spool: Spool) -> None:
    assert spool.removed("copper") == 0
    spool.append([delivery("a"), delivery("b")])
    spool.confirm("copper", spool.newest("copper"))
    spool.retain(days=0, most_bytes=0)
    assert spool.removed("copper") == spool.newest("copper")


# What is told


def test_counters_tell_what_came_and_what_waits(spool: Spool, clock: Clock) -> None:
    assert not any(spool.counters().values())
    spool.append([delivery("abc", stale=True), delivery("de"), delivery("x", "close")])
    spool.count_refused("copper", 4)
    spool.count_refused("unknown", 1)
    spool.confirm("copper", spool.read("copper", 0, 1)[0].place)
    clock.move(seconds=90)
    assert spool.counters() == {
        "received": 3,
        "stale": 1,
        "gaps": 0,
        "refused": 5,
        "bytes": 6,
        "kept": 3,
        "waiting": 2,
        "oldest_waiting_seconds": 90,
    }
    assert spool.counters("copper")["waiting"] == 1
    assert spool.counters("close")["received"] == 1


def test_a_receiver_learns_when_one_last_ran(spool: Spool, clock: Clock) -> None:
    assert spool.come_alive() is None
    clock.move(seconds=5)
    assert spool.come_alive() == START
    assert spool.come_alive() == START + timedelta(seconds=5)


def test_subscriptions_are_remembered_until_they_are_forgotten(spool: Spool) -> None:
    one = Subscription("close", "whsub_1", "all", START, "https://example.com/close", "ab" * 32)
    two = Subscription("close", "whsub_2", "all", START + HOUR, "https://example.com/close")
    for subscription in (two, one, Subscription("copper", "7", "person new", START, "https://example.com/copper")):
        spool.remember(subscription)
    assert spool.subscriptions("close") == [one, two]
    changed = Subscription("close", "whsub_2", "some", START, "https://example.com/other", "cd" * 32)
    spool.remember(changed)
    spool.forget("close", "whsub_1")
    assert spool.subscriptions("close") == [changed]
    assert spool.providers() == ["close", "copper"]


# How it is opened


def test_what_was_kept_is_there_when_it_is_opened_again(spool: Spool, address: str) -> None:
    spool.append([delivery("a")])
    with closing(Spool.open(address)) as again:
        assert kept(again) == ["a"]


def test_several_may_make_it_at_once(address: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        spools = list(pool.map(lambda _: Spool.open(address), range(4)))
    for number, one in enumerate(spools):
        one.append([delivery(str(number))])
    assert kept(spools[0]) == ["0", "1", "2", "3"]
    for one in spools:
        one.close()


@pytest.mark.usefixtures("spool")
def test_an_inbox_of_a_later_version_is_not_touched(address: str) -> None:
    engine = sa.create_engine(address if "://" in address else f"sqlite:///{address}")
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE tap_crm_inbox_places SET version = 99"))
    engine.dispose()
    with pytest.raises(ConfigError, match="the inbox has the form 99"):
        Spool.open(address)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/nowhere/inbox.sqlite", "the inbox cannot be opened: No such file or directory"),
        ("postgresql+psycopg://u:se%21cret@127.0.0.1:1/x", "the inbox cannot be opened: "),
        ("mysql://u:p@host/x", "the inbox must be a file's path, or a URL that begins with postgresql"),
    ],
)
def test_what_cannot_be_opened_is_one_line_without_the_password(address: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Spool.open(address)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "cret" not in str(caught.value)


def test_nobody_but_the_owner_may_read_it(tmp_path: Path) -> None:
    """Nor what SQLite keeps beside it, also where an earlier file was open to others."""
    path = tmp_path / "inbox.sqlite"
    path.touch(mode=0o644)
    with closing(Spool.open(str(path))) as spool:
        spool.append([delivery("a")])
        modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    assert modes == dict.fromkeys(["inbox.sqlite", "inbox.sqlite-wal", "inbox.sqlite-shm"], 0o600)


def test_what_is_removed_is_not_left_in_the_file_and_gives_its_room_back(tmp_path: Path) -> None:
    path = tmp_path / "inbox.sqlite"
    with closing(Spool.open(str(path))) as spool:
        spool.append([delivery("somebody's secret" * 100_000)])
    assert path.stat().st_size > 1_000_000
    with closing(Spool.open(str(path))) as spool:
        spool.confirm("copper", spool.newest("copper"))
        spool.retain(days=0, most_bytes=0)
    assert path.stat().st_size < 100_000
    assert b"somebody's secret" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


def test_a_full_disk_is_an_error_and_keeps_what_was_kept(tmp_path: Path) -> None:
    """When used events are removed, there is room again."""
    with closing(Spool.open(str(tmp_path / "inbox.sqlite"), pragmas=["max_page_count=60"])) as spool:
        for number in range(100):
            try:
                spool.append([delivery(f"{number:05}" * 2_000)])
            except SpoolError as error:
                assert str(error) == "the inbox cannot be written: database or disk is full"  # noqa: PT017 - which one fails is not the point
                break
        appended = spool.counters()["received"]
        assert appended > 5
        assert [body[:5] for body in kept(spool)] == [f"{number:05}" for number in range(appended)]
        spool.confirm("copper", spool.newest("copper"))
        spool.retain(days=0, most_bytes=20_000)
        spool.append([delivery("again")])
        assert kept(spool)[-1] == "again"
