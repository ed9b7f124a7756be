"""An inbox that is not the one it was: made anew between two runs, or removed or replaced while it is open."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import asyncio
import json
import shutil
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tap_crm.errors import ConfigError
from tap_crm.inbox.entries import Delivery, Subscription
from tap_crm.inbox.receiver import Receiver
from tap_crm.inbox.settings import InboxSettings
from tap_crm.inbox.spool import Spool, SpoolError
from tap_crm.inbox.tables import METADATA
from tap_crm.messages import HintsKept
from tap_crm.providers import PROVIDERS
from tap_crm.storage.database import BESIDE
from tap_crm.sync.hints import hints_of
from tap_crm.sync.state import StreamState
from tests.inbox.deliveries import START, Clock, delivery, kept
from tests.inbox.serving import COPPER, TOKEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tap_crm.contract.stream import StreamSpec
    from tap_crm.sync.hints import StreamHints

PEOPLE = next(spec for spec in PROVIDERS["copper"].streams if spec.name == "people")
KEY = Subscription("close", "whsub_1", "all", START, "https://example.com/close", "ab" * 32)


@dataclass(frozen=True)
class People:
    """A stream of a run, with a bookmark."""

    name: str = "people"
    spec: StreamSpec = PEOPLE
    is_incremental: bool = True

    def starting_bookmark(self) -> int:
        """Return it."""
        return 1


def person(key: int) -> Delivery:
    """Return a notification of Copper's."""
    return Delivery("copper", json.dumps({"ids": [key], "type": "person", "event": "update"}).encode(), START)


def remove(address: str) -> None:
    """Remove an inbox that nobody has open."""
    if "://" in address:
        engine = sa.create_engine(address)
        METADATA.drop_all(engine)
        engine.dispose()
    else:
        Path(address).unlink()


def heeded(address: str, clock: Clock, kept: HintsKept) -> tuple[StreamHints, HintsKept]:
    """Return what a run finds that has this state, and the state that it leaves."""
    copper = PROVIDERS["copper"]
    found = hints_of(lambda: Spool.open(address, now=clock), copper, [People()], {"people": StreamState(hints=kept)})
    assert found is not None
    told = found.of("people")
    assert told is not None
    found.close()
    state = StreamState(hints=kept)
    state.note_hints(HintsKept(told.newest, inbox=found.identity))
    assert state.hints is not None
    return told, state.hints


# Made anew between two runs


@pytest.mark.parametrize("behind", [timedelta(0), timedelta(days=1)], ids=["later", "with a clock that is behind"])
def test_no_event_of_an_inbox_that_was_made_anew_is_skipped(address: str, clock: Clock, behind: timedelta) -> None:
    """Whatever its places are, and although nothing tells what waited in the old one."""
    with closing(Spool.open(address, now=clock)) as old:
        place, identity = old.append([person(1)]), old.identity()
        old.append([person(2)])
    state = HintsKept(place, inbox=identity)
    remove(address)
    clock.move(seconds=60 - behind.total_seconds())
    with closing(Spool.open(address, now=clock)) as new:
        new.append([person(3)])
        clock.move(days=2)
        new.append([person(4)])
    told, state = heeded(address, clock, state)
    assert (set(told.keys), told.is_torn) == ({3, 4}, True)
    told, state = heeded(address, clock, state)
    assert (set(told.keys), told.is_torn) == (set(), False)


def test_one_that_is_empty_is_known_from_then_on(address: str, clock: Clock) -> None:
    """The place goes back to its begin, and what comes later is heeded, and no complete read asked for once more."""
    with closing(Spool.open(address, now=clock)) as old:
        state = HintsKept(old.append([person(1)]), inbox=old.identity())
    remove(address)
    Spool.open(address, now=clock).close()
    told, state = heeded(address, clock, state)
    assert (set(told.keys), told.is_torn, state.place) == (set(), True, 0)
    clock.move(days=-1)
    with closing(Spool.open(address, now=clock)) as new:
        new.append([person(2)])
    told, state = heeded(address, clock, state)
    assert (set(told.keys), told.is_torn) == ({2}, False)


def test_the_events_of_another_inbox_are_not_confirmed_by_its_place(address: str, clock: Clock) -> None:
    with closing(Spool.open(address, now=clock)) as spool:
        place = spool.append([person(1), person(2)])
        heeded(address, clock, HintsKept(place + 10, inbox="of another one"))
        assert spool.counters()["waiting"] == 2


def test_an_inbox_of_an_earlier_version_gets_an_identity_and_keeps_its_places(address: str, clock: Clock) -> None:
    """And a state of one says nothing of it: no complete read is asked for."""
    with closing(Spool.open(address, now=clock)) as spool:
        place = spool.append([person(1)])
        spool.append([person(2)])
    engine = sa.create_engine(address if "://" in address else f"sqlite:///{address}")
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE tap_crm_inbox_identities"))
    engine.dispose()
    told, state = heeded(address, clock, HintsKept(place))
    assert (set(told.keys), told.is_torn) == ({2}, False)
    assert state.inbox is not None
    assert heeded(address, clock, state)[1] == state


# Removed or replaced while it is open


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "inbox.sqlite"


def lose(path: Path, how: str, copy: Path) -> None:
    """Take away a file that others have open."""
    if how == "alone":
        path.unlink()
    elif how == "replaced":
        shutil.copy(copy, path.with_name("next"))
        path.with_name("next").replace(path)
    else:
        for end in ("", *BESIDE):
            Path(f"{path}{end}").unlink()


@pytest.mark.parametrize("how", ["with what is beside it", "alone", "replaced"])
def test_what_a_receiver_answers_by_200_is_where_the_tap_reads(
    path: Path, tmp_path: Path, clock: Clock, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where somebody removes its file, or puts another one there: one line says so, and a gap is noted.

    What Close signs with is kept: it would have to be made anew.
    """
    with closing(Spool.open(str(tmp_path / "other.sqlite"), now=clock)) as other:
        other.append([delivery("of the other")])
    with closing(Spool.open(str(path), now=clock)) as spool:
        spool.remember(KEY)
        receiver = Receiver(InboxSettings(address="unused", token=TOKEN), spool, clock.seconds, clock.seconds)

        async def send(*bodies: str) -> list[int]:
            headers = {name.lower(): value for name, value in COPPER.items()}
            return [await receiver.receive(f"/copper/{TOKEN}", headers, one_part(body)) for body in bodies]

        async def live() -> None:
            await receiver.start()
            assert await send("a", "b") == [200, 200]
            clock.move(seconds=30)
            lose(path, how, tmp_path / "other.sqlite")
            assert await send("c", "d") == [200, 200]
            await receiver.stop()

        asyncio.run(live())
    with closing(Spool.open(str(path), now=clock)) as found:
        events = found.read("copper", 0, 10)
        deliveries = [event.body.decode() for event in events if event.kind == "delivery"]
        assert deliveries == [*(["of the other"] if how == "replaced" else []), "c", "d"]
        assert [event.body.decode() for event in events if event.kind == "gap"] == [START.isoformat()]
        assert found.subscriptions("close") == [KEY]
    assert (
        caplog.messages.count(
            "the inbox's file was removed or replaced while it was open; the one that is there now was opened"
        )
        == 1
    )
    assert path.stat().st_mode & 0o777 == 0o600


async def one_part(text: str) -> AsyncIterator[bytes]:
    """Give a body."""
    yield text.encode()


def test_what_cannot_be_made_anew_is_not_answered_by_200(path: Path, clock: Clock) -> None:
    """Its folder went, too; when that is there again, all goes on."""
    folder = path.parent / "folder"
    folder.mkdir()
    with closing(Spool.open(str(folder / path.name), now=clock)) as spool:
        spool.append([delivery("a")])
        shutil.rmtree(folder)
        for _ in range(2):
            with pytest.raises(SpoolError, match="the inbox cannot be written: No such file or directory"):
                spool.append([delivery("b")])
        folder.mkdir()
        spool.append([delivery("c")])
        assert "c" in kept(spool)


def test_a_file_that_is_replaced_while_it_is_written_has_it_as_well(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit went into the file that was there before it."""
    with closing(Spool.open(str(path), now=clock)) as spool:
        spool.append([delivery("a")])
        add = spool._add  # noqa: SLF001 - a moment in the middle of an append

        def lose_it(*arguments: object, **values: object) -> None:
            monkeypatch.undo()
            lose(path, "with what is beside it", path)
            add(*arguments, **values)  # type: ignore[arg-type]

        monkeypatch.setattr(spool, "_add", lose_it)
        spool.append([delivery("b")])
    with closing(Spool.open(str(path), now=clock)) as found:
        assert [event.body.decode() for event in found.read("copper", 0, 10) if event.kind == "delivery"] == ["b"]


def test_who_only_reads_makes_no_inbox(address: str) -> None:
    """Neither a file nor tables: a wrong address would look like an inbox that stays empty."""
    for _ in range(2):
        with pytest.raises(ConfigError, match="the inbox does not exist; `tap-crm-inbox serve` makes it"):
            Spool.open(address, makes=False)
    assert "://" in address or not Path(address).exists()


def test_who_only_reads_reads_the_file_that_is_there(path: Path, clock: Clock) -> None:
    """Such as a watch, which looks into it for weeks; it makes none."""
    with closing(Spool.open(str(path), now=clock)) as old:
        place = old.append([delivery("a")])
    with closing(Spool.open(str(path), now=clock, makes=False)) as reader:
        assert reader.newest("copper") == place
        path.unlink()
        with pytest.raises(SpoolError, match="the inbox does not exist"):
            reader.newest("copper")
        assert not path.exists()
        clock.move(seconds=1)
        with closing(Spool.open(str(path), now=clock)) as new:
            place = new.append([delivery("b")])
        assert reader.newest("copper") == place
        assert reader.counters()["gaps"] == 0
