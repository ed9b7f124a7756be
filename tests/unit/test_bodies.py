"""An answer ends: one that never does, comes too slowly or is too large is given up, with little memory."""

from __future__ import annotations

import gzip
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from tap_crm import errors
from tap_crm.ledger import Ledger
from tap_crm.transport import body
from tap_crm.transport.question import Question, Reply
from tests.proof.seam import BASE, Response, answered_by
from tests.proof.virtual_time import virtual_time
from tests.unit.loopback import ask, transport_to

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.proof.seam import Asked, Piece
    from tests.proof.virtual_time import VirtualTime

WHOLE = Response(200, {"content-type": "application/json"}, b'[{"id": 1}]')
SPOOLED = Question("GET", "/rows", "rows", spooled=True)


@pytest.fixture
def clock() -> Iterator[VirtualTime]:
    """Let waiting cost nothing."""
    with virtual_time() as clock:
        yield clock


def dripping(_: Asked) -> Iterator[Piece]:
    """Send a byte each minute: never silent for long, and never ready."""
    yield WHOLE.head(content_length="100000")
    while True:
        yield 60.0
        yield b" "


def endless(_: Asked) -> Iterator[Piece]:
    """Send without end."""
    yield WHOLE.head(content_length=None, connection="close")
    while True:
        yield b" " * 65_536


def bomb(_: Asked) -> Iterable[Piece]:
    """Send little that becomes much."""
    zipped = gzip.compress(b" " * 1_048_576) * 64
    return [WHOLE.head(content_encoding="gzip", content_length=str(len(zipped))) + zipped]


def keep(reply: Reply) -> bytes:
    """Return what came."""
    if reply.file is None:
        return reply.body
    with reply.file as file:
        file.seek(0)
        return file.read()


@pytest.mark.parametrize("question", [Question("GET", "/x", "x"), SPOOLED], ids=["at once", "spooled"])
def test_an_answer_that_comes_too_slowly_is_given_up(clock: VirtualTime, question: Question) -> None:
    """A byte now and then is no progress; another attempt may bring more."""
    with answered_by(dripping, clock.wait), pytest.raises(errors.GaveUp, match="comes too slowly") as gave_up:
        transport_to(BASE, retry_seconds=600, read_timeout=120).ask(question, keep, Ledger())
    assert gave_up.value.timed_out
    assert clock.passed < 1_200


def test_a_large_answer_over_a_slow_line_is_waited_for(clock: VirtualTime) -> None:
    """Two kilobytes a second: it takes long, and comes."""
    size = 2_000_000

    def slow(_: Asked) -> Iterator[Piece]:
        yield WHOLE.head(content_length=str(size))
        for _piece in range(size // 20_000):
            yield 10.0
            yield b" " * 20_000

    with answered_by(slow, clock.wait):
        assert len(transport_to(BASE, read_timeout=120).ask(SPOOLED, keep, Ledger())) == size
    assert clock.passed == pytest.approx(1_000, abs=5)


@pytest.mark.parametrize("server", [endless, bomb])
@pytest.mark.parametrize("question", [Question("GET", "/x", "x"), SPOOLED], ids=["at once", "spooled"])
def test_an_answer_that_is_too_large_is_an_error(
    clock: VirtualTime, monkeypatch: pytest.MonkeyPatch, server: object, question: Question
) -> None:
    """Whatever it would be unpacked; no more than the limit is held."""
    monkeypatch.setattr(body, "LARGEST", 4_000_000)
    monkeypatch.setattr(body, "LARGEST_SPOOLED", 4_000_000)
    tracemalloc.start()
    try:
        with answered_by(server, clock.wait), pytest.raises(errors.ReadError, match="larger than"):  # type: ignore[arg-type]
            transport_to(BASE, retry_seconds=1).ask(question, keep, Ledger())
        assert tracemalloc.get_traced_memory()[1] < 40_000_000
    finally:
        tracemalloc.stop()


def test_a_whole_answer_leaves_its_connection_to_the_next(clock: VirtualTime) -> None:
    """Reading in pieces ends where the answer does."""
    asked: list[str] = []

    def server(one: Asked) -> Iterable[Piece]:
        asked.append(one.path)
        return WHOLE.pieces()

    with answered_by(server, clock.wait):
        transport = transport_to(BASE)
        assert [ask(transport) for _ in range(3)] == [[{"id": 1}]] * 3
    assert len(asked) == 3
