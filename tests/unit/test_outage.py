"""When nothing is answered any more, that is waited for once; one endpoint that fails is waited for by itself."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tap_crm import errors
from tap_crm.transport.outage import FEWEST_FAILURES, Outage
from tests.stalls import Watch
from tests.unit.fake_time import FakeTime
from tests.unit.loopback import QUESTION, Answer, ask, serving, transport_to

if TYPE_CHECKING:
    from tap_crm.transport.question import Question

DOWN = Answer(status=503)
PATIENCE = 600.0


def question(path: str) -> Question:
    """Return a question to another endpoint."""
    return replace(QUESTION, path=path, label=path)


def failing(fake: FakeTime, *endpoints: str, answers: bool | None) -> Outage:
    """Return what is known after endpoints have failed for long."""
    outage = Outage(lambda: answers, clock=fake.clock)
    for endpoint in endpoints:
        outage.note_failure(endpoint)
    fake.sleep(PATIENCE)
    return outage


def test_a_short_silence_is_no_outage() -> None:
    """Whatever fails: retries are for that."""
    fake = FakeTime()
    outage = Outage(lambda: False, clock=fake.clock)
    for _ in range(10):
        outage.note_failure("people")
        outage.note_failure("companies")
    fake.sleep(PATIENCE - 1)
    assert not outage.lasts(PATIENCE)


def test_a_long_silence_is_one_where_what_was_answered_before_is_not_any_more() -> None:
    """And stays one for this run."""
    fake = FakeTime()
    outage = failing(fake, "people", answers=False)
    assert outage.lasts(PATIENCE)
    assert outage.seconds == pytest.approx(PATIENCE)
    outage.note_answer()
    assert outage.lasts(PATIENCE)


def test_a_long_silence_of_one_endpoint_is_none_where_others_answer() -> None:
    """The silence is counted anew then."""
    fake = FakeTime()
    outage = failing(fake, "people", "companies", answers=True)
    assert not outage.lasts(PATIENCE)
    outage.note_failure("people")
    fake.sleep(PATIENCE - 1)
    assert not outage.lasts(PATIENCE)


def test_an_answer_ends_the_silence() -> None:
    """Of whomever."""
    fake = FakeTime()
    outage = failing(fake, "people", answers=False)
    outage.note_answer()
    outage.note_failure("people")
    assert not outage.lasts(PATIENCE)


@pytest.mark.parametrize(
    ("failures", "expected"),
    [
        (["people"] * 9, False),
        (["people"] * 9 + ["companies"] * (FEWEST_FAILURES - 1), False),
        (["people"] * 9 + ["companies"] * FEWEST_FAILURES, True),
    ],
)
def test_where_nothing_was_ever_answered_several_endpoints_have_to_fail(failures: list[str], *, expected: bool) -> None:
    """More than once each, which is no chance."""
    assert failing(FakeTime(), *failures, answers=None).lasts(PATIENCE) is expected


def test_it_is_waited_for_once_and_then_nothing_is_asked() -> None:
    """The first question takes the time for retries, the next ones none."""
    with Watch() as watch, serving(Answer(), DOWN) as server:
        transport = transport_to(server, retry_seconds=0.6)
        ask(transport)
        began = time.monotonic()
        for path in ("/people/search", "/companies/search", "/leads/search"):
            with pytest.raises(errors.GaveUp):
                ask(transport, question(path))
        took = time.monotonic() - began
        asked = len(server.asked)
        with pytest.raises(errors.GaveUp, match=r"tasks/search: the CRM has not answered anything for \d+ seconds"):
            ask(transport, question("/tasks/search"))
        assert len(server.asked) == asked
    assert took < 2 * 0.6 + 1 + 3 * watch.longest


def test_one_endpoint_that_fails_costs_the_others_no_retry() -> None:
    """The next question fails at first and is asked again, since the CRM does answer."""
    answers = [Answer()]

    def answer() -> Answer:
        path = server.asked[-1].path
        if "people" in path:
            return DOWN
        return answers.pop() if answers else Answer()

    with serving(answer) as server:
        transport = transport_to(server, retry_seconds=0.4)
        ask(transport, question("/companies/search"))
        with pytest.raises(errors.GaveUp, match="people/search: gave up"):
            ask(transport, question("/people/search"))
        answers.extend([Answer(), DOWN])  # once, and then as ever
        assert ask(transport, question("/leads/search")) == [{"id": 1}]
        assert not transport.outage.is_over_all


def test_a_refusal_is_an_answer() -> None:
    """The key may not read something: that says that the CRM is there."""
    with serving(Answer(), DOWN, Answer(status=403)) as server:
        transport = transport_to(server, retry_seconds=0)
        ask(transport)
        with pytest.raises(errors.GaveUp):
            ask(transport, question("/people/search"))
        with pytest.raises(errors.Forbidden):
            ask(transport, question("/leads/search"))
        assert not transport.outage.is_over_all


def test_what_changes_something_is_never_asked_again_to_hear_an_answer() -> None:
    """Nor is what takes long."""
    assert question("/people/search").is_safe
    assert replace(QUESTION, method="GET", path="/webhooks").is_safe
    assert not replace(QUESTION, path="/people").is_safe
    assert not replace(QUESTION, method="GET", path="/rows", spooled=True).is_safe
