"""How long is waited between attempts, who is held back, and when it is given up."""

from __future__ import annotations

import logging
import threading
import time
from email.utils import formatdate

import pytest

from tap_crm import errors
from tap_crm.config.settings import Settings
from tap_crm.contract.connection import connect
from tap_crm.ledger import Ledger
from tap_crm.providers import PROVIDERS
from tap_crm.transport.pacing.pacing import Pacing
from tests.stalls import Watch
from tests.unit.fake_time import FakeTime
from tests.unit.loopback import QUESTION, Answer, ask, http, sending, serving, transport_to

GOOD = [{"id": 1}]


def limited(retry_after: str | None = None, **headers: str) -> Answer:
    """Return a 429."""
    return Answer(status=429, headers=headers if retry_after is None else {"Retry-After": retry_after, **headers})


def waits_after(*answers: Answer, retry_seconds: float = 600.0) -> list[float]:
    """Return how long the pacer slept until the question was answered, in a time that does not pass."""
    fake = FakeTime()
    pacing = Pacing(0, clock=fake.clock, sleep=fake.sleep)
    with serving(*answers, Answer()) as server:
        assert ask(transport_to(server, pacing=pacing, retry_seconds=retry_seconds)) == GOOD
    return fake.slept


@pytest.mark.parametrize(("asked", "seconds"), [("7", 7), ("0.5", 0.5), ("0", 0), ("-3", 0)])
def test_retry_after_in_seconds_is_obeyed(asked: str, seconds: float) -> None:
    """And a blink longer, since clocks differ."""
    assert waits_after(limited(asked)) == pytest.approx([seconds + 0.05])


def test_retry_after_as_a_date_is_told_by_the_servers_clock() -> None:
    """This machine's clock may be wrong by hours."""
    then = 1_600_000_000
    answer = limited(formatdate(then + 20, usegmt=True), Date=formatdate(then, usegmt=True))
    assert waits_after(answer) == pytest.approx([20.05], abs=1)


def test_a_date_that_has_passed_means_now() -> None:
    """Proxies repeat old answers."""
    then = 1_600_000_000
    answer = limited(formatdate(then - 500, usegmt=True), Date=formatdate(then, usegmt=True))
    assert waits_after(answer) == pytest.approx([0.05])


@pytest.mark.parametrize("absurd", ["", "soon", "nan", "inf", "-inf", "1e999", "Thu, 99 Foo 2026"])
def test_an_absurd_retry_after_counts_as_none(absurd: str) -> None:
    """Then the wait is the tap's own."""
    assert waits_after(limited(absurd)) == pytest.approx([1.0])


def test_a_wait_longer_than_the_time_for_retries_is_cut() -> None:
    """Somebody may be watching; a day is never waited."""
    assert waits_after(limited("86400"), retry_seconds=30) == pytest.approx([30])


def test_no_wait_is_longer_than_an_hour() -> None:
    """Whatever the user allows."""
    assert waits_after(limited("86400"), retry_seconds=1_000_000) == pytest.approx([3600.05])


def test_a_429_without_a_hint_waits_longer_each_time() -> None:
    """Up to a minute, which is what limits are counted by."""
    assert waits_after(*[limited()] * 9) == pytest.approx([1, 2, 4, 8, 16, 32, 60, 60, 60])


def test_the_waits_outlive_a_rate_window() -> None:
    """Somebody else used up the minute; it is not given up before the next one begins."""
    fake = FakeTime()
    free_at = fake.now + 60

    def answer() -> Answer:
        return Answer() if fake.now > free_at else limited()

    with serving(answer) as server:
        pacing = Pacing(180, clock=fake.clock, sleep=fake.sleep)
        assert ask(transport_to(server, pacing=pacing)) == GOOD
        assert len(server.asked) < 10


def test_a_429_holds_back_every_thread() -> None:
    """Those who were not refused wait as well: the limit is the account's."""
    fake = FakeTime()
    pacing = Pacing(0, clock=fake.clock, sleep=fake.sleep)
    with serving(limited("40"), Answer()) as server:
        transport = transport_to(server, pacing=pacing)
        transport.pacing.hold("POST", "/x", 0)
        ask(transport)
    assert fake.now - 1_000 == pytest.approx(40.05)
    pacing.hold("POST", "/x", 15)
    began = fake.now
    with serving(Answer()) as server:
        ask(transport_to(server, pacing=pacing))
    assert fake.now - began == pytest.approx(15)


def test_a_503_with_retry_after_holds_but_is_no_429() -> None:
    """Maintenance is announced that way."""
    fake = FakeTime()
    ledger = Ledger()
    with serving(Answer(status=503, headers={"Retry-After": "9"}), Answer()) as server:
        ask(transport_to(server, pacing=Pacing(0, clock=fake.clock, sleep=fake.sleep)), ledger=ledger)
    assert fake.slept == pytest.approx([9.05])
    assert (ledger.retries, ledger.rate_limited) == (1, 0)


def test_the_ledger_counts_requests_retries_refusals_and_seconds_once() -> None:
    """What was waited is counted by who waited."""
    fake = FakeTime()
    ledger = Ledger()
    with serving(limited("5"), limited("6"), Answer()) as server:
        ask(transport_to(server, pacing=Pacing(0, clock=fake.clock, sleep=fake.sleep)), ledger=ledger)
    assert (ledger.requests, ledger.retries, ledger.rate_limited) == (3, 2, 2)
    assert ledger.waited == pytest.approx(11.1)


def test_a_failure_without_a_hint_waits_longer_each_time() -> None:
    """A quarter of a second at most, then half a second; by chance up to half of it less, so that threads part."""
    ledger = Ledger()
    with serving(Answer(status=500), Answer(status=502), Answer()) as server:
        ask(transport_to(server), ledger=ledger)
    assert (ledger.requests, ledger.retries, ledger.rate_limited) == (3, 2, 0)
    assert 0.375 <= ledger.waited <= 0.76


def test_every_attempt_is_paced() -> None:
    """A retry is a request like any other."""
    fake = FakeTime()
    pacing = Pacing(1, clock=fake.clock, sleep=fake.sleep)
    with serving(limited("0"), limited("0"), Answer()) as server:
        ask(transport_to(server, pacing=pacing))
    assert sum(fake.slept) == pytest.approx(2 * 60 / 0.98)


def test_the_wait_for_its_turn_is_no_part_of_the_time_for_retries() -> None:
    """A 429 of another question, or a slow pace, may hold it back for longer; then it has failed once only."""
    pacing = Pacing(0)
    pacing.hold("POST", "/x", 0.4)
    with serving(Answer(status=502), Answer()) as server:
        transport = transport_to(server, pacing=pacing, retry_seconds=0.3)
        assert ask(transport) == GOOD


def test_it_gives_up_in_one_line_that_names_the_question() -> None:
    """And says that nothing is lost."""
    with serving(Answer(status=500)) as server, pytest.raises(errors.GaveUp) as caught:
        ask(transport_to(server, retry_seconds=0.3))
    message = str(caught.value)
    assert message.startswith("people, page 3: gave up after ")
    assert "status 500" in message
    assert "next run" in message
    assert "\n" not in message
    assert not caught.value.timed_out
    assert caught.value.__cause__ is None


def test_giving_up_takes_no_longer_than_was_allowed() -> None:
    """The last wait is cut to what is left."""
    with Watch() as watch, serving(Answer(status=500)) as server:
        began = time.monotonic()
        with pytest.raises(errors.GaveUp):
            ask(transport_to(server, retry_seconds=0.5))
        took = time.monotonic() - began
    assert 0.4 < took < 1.5 + 3 * watch.longest


def test_no_time_for_retries_means_one_attempt() -> None:
    """0 is a legal setting."""
    with serving(Answer(status=500)) as server, pytest.raises(errors.GaveUp, match="after 1 attempts"):
        ask(transport_to(server, retry_seconds=0))


@pytest.mark.parametrize("begun", [b"", http(b"[", "Content-Length: 100")], ids=["no answer", "half an answer"])
def test_giving_up_after_a_timeout_says_so(begun: bytes) -> None:
    """A smaller question may then be answered; that holds for an answer that stops in its middle, too."""
    with sending(begun, stays_open=True) as server, pytest.raises(errors.GaveUp, match="no answer in time") as caught:
        ask(transport_to(server, read_timeout=0.1, retry_seconds=0))
    assert caught.value.timed_out


def test_a_first_question_that_times_out_does_not_make_the_server_unreachable() -> None:
    """The smaller question after it is asked."""
    with sending(None, http(b'[{"id": 1}]', "Content-Length: 11")) as server:
        transport = transport_to(server, read_timeout=0.1, retry_seconds=0)
        with pytest.raises(errors.GaveUp):
            ask(transport)
        assert ask(transport) == GOOD


def test_a_first_answer_that_breaks_does_not_make_the_server_unreachable() -> None:
    """It did answer."""
    with sending(http(b"[", "Content-Length: 9"), http(b'[{"id": 1}]', "Content-Length: 11")) as server:
        transport = transport_to(server, retry_seconds=0)
        with pytest.raises(errors.GaveUp, match="broken answer"):
            ask(transport)
        assert ask(transport) == GOOD


def test_a_server_that_answers_at_all_gets_the_whole_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where its very first answers are refusals."""
    monkeypatch.setattr("tap_crm.transport.session.FIRST_CONTACT_SECONDS", 0.05)
    with serving(*[Answer(status=500)] * 2, Answer()) as server:
        assert ask(transport_to(server, retry_seconds=30)) == GOOD


def test_nothing_is_asked_once_the_run_ends() -> None:
    """Whoever still reads stops."""
    stopping = threading.Event()
    stopping.set()
    with serving(Answer()) as server:
        with pytest.raises(errors.Cancelled):
            ask(transport_to(server, stopping=stopping))
        assert server.asked == []


def test_no_attempt_follows_once_the_run_ends() -> None:
    """A failing request is not tried again then."""
    stopping = threading.Event()

    def answer() -> Answer:
        stopping.set()
        return Answer(status=500)

    with serving(answer) as server:
        with pytest.raises(errors.Cancelled):
            ask(transport_to(server, stopping=stopping))
        assert len(server.asked) == 1


def test_the_same_wrong_shape_is_an_error_when_the_time_is_over(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until then the log says what is wrong, and for how long it goes on; it warns if it does not pass."""
    monkeypatch.setattr("tap_crm.transport.session.FIRST_WAIT", 0.05)
    with caplog.at_level(logging.INFO, logger="tap-crm"), serving(Answer(body=b'{"not": "a list"}')) as server:
        began = time.monotonic()
        with pytest.raises(
            errors.GaveUp, match=r"gave up after .* attempts; the last one: the answer has another shape"
        ):
            ask(transport_to(server, retry_seconds=1))
        assert time.monotonic() - began < 6
    said = "people, page 3: the answer has another shape than documented; attempt 2 follows, and it is given up in 1 s"
    assert caplog.messages[0].startswith(said)
    assert [record.levelname for record in caplog.records][:4] == ["INFO", "INFO", "INFO", "WARNING"]


@pytest.mark.parametrize("answer", [Answer(status=500), limited("60")])
def test_a_wait_ends_as_soon_as_the_run_is_to_end(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two attempts, and while a 429 holds everybody."""
    monkeypatch.setattr("tap_crm.transport.session.FIRST_WAIT", 60.0)
    monkeypatch.setattr("tap_crm.transport.session.LONGEST_WAIT", 60.0)
    stopping = threading.Event()
    config = {"provider": "copper", "api_key": "k" * 32, "user_email": "a@example.com"}
    with serving(*[answer] * 3) as server:
        settings = Settings.from_config({**config, "api_url": server.url}, PROVIDERS)
        transport = connect(settings, PROVIDERS["copper"], stopping)
        threading.Timer(0.3, stopping.set).start()
        began = time.monotonic()
        with pytest.raises(errors.Cancelled):
            ask(transport)
        assert time.monotonic() - began < 10
        assert len(server.asked) == 1


def test_nobody_sends_after_a_wait_in_which_the_run_ended() -> None:
    """A hold may be long."""
    stopping = threading.Event()
    fake = FakeTime()

    def sleep(seconds: float) -> None:
        fake.sleep(seconds)
        stopping.set()

    pacing = Pacing(0, clock=fake.clock, sleep=sleep)
    pacing.hold("POST", "/x", 5)
    ledger = Ledger()
    with serving(Answer()) as server:
        with pytest.raises(errors.Cancelled):
            ask(transport_to(server, pacing=pacing, stopping=stopping), QUESTION, ledger)
        assert server.asked == []
    assert ledger.requests == 0
