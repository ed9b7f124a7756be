"""What a refusal says: the CRM's own words for the reader, and how long a 429 asks to wait."""

from __future__ import annotations

from dataclasses import replace
from email.utils import formatdate
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from tap_crm import errors
from tap_crm.transport.pacing.pacing import Pacing
from tap_crm.transport.refusals import wait_asked
from tests.unit.fake_time import FakeTime
from tests.unit.loopback import KEY, QUESTION, Answer, ask, serving, transport_to

NOW = 1_800_000_000.0
WORDS = [
    ({"message": "Invalid input"}, "Invalid input"),
    ({"error": "List is too long."}, "List is too long."),
    ({"error": {"message": "Slow down", "rate_reset": 3}}, "Slow down"),
    ({"errors": ["First.", "Second."], "field-errors": {}}, "First.; Second."),
    ({"errors": [], "field-errors": {"_limit": "Too large."}}, "_limit: Too large."),
    (
        {"field-errors": {"query": {"a": ["Bad.", "Worse."], "b": {"c": "No."}}}},
        "query.a: Bad.; query.a: Worse.; query.b.c: No.",
    ),
    ({"message": " \n", "error": " two\n lines "}, "two lines"),
    ({"message": 5, "error": None, "errors": [7, None], "field-errors": {"x": 1}}, ""),
    ({"errors": {"a": {"b": {"c": {"d": {"e": {"f": "too deep"}}}}}}}, ""),
    (["message"], ""),
    ("Empty", ""),
]


def refusal(status: int, body: bytes, *, writes: bool = False) -> errors.FinalWord:
    """Return how a refusal with this body is raised."""
    with serving(Answer(status=status, body=body)) as server, pytest.raises(errors.FinalWord) as caught:
        ask(transport_to(server), replace(QUESTION, writes=writes))
    return caught.value


@pytest.mark.parametrize(("body", "said"), WORDS)
def test_the_crms_words_are_found_where_crms_put_them(body: Any, said: str) -> None:  # noqa: ANN401 - JSON
    """And shown in the message of a refused question."""
    refused = refusal(400, msgspec.json.encode(body))
    assert isinstance(refused, errors.Refused)
    assert refused.said == said
    assert str(refused) == f"people, page 3: the CRM refused the question (400): {said or 'no explanation'}"


@pytest.mark.parametrize(
    ("status", "kind", "hint"), [(403, errors.Forbidden, "may not read"), (404, errors.NotThere, "the record is gone")]
)
def test_other_refusals_keep_their_message_and_bring_the_words(
    status: int, kind: type[errors.FinalWord], hint: str
) -> None:
    """A reading may decide by them; a user is told what to do."""
    refused = refusal(status, b'{"error": "Empty query: Document has been deleted."}')
    assert type(refused) is kind
    assert refused.said == "Empty query: Document has been deleted."
    assert hint in str(refused)
    assert "Empty query" not in str(refused)


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (402, "people, page 3: the account's plan does not give this (402); do not send the stream to the target"),
        (403, "people, page 3: the key's user may not write this (403); do not send the stream to the target, switch"),
        (422, "people, page 3: the CRM refused the write (422): no explanation"),
    ],
)
def test_the_refusal_of_a_write_speaks_of_writing(status: int, says: str) -> None:
    """To deselect a stream helps who reads."""
    assert str(refusal(status, b"{}", writes=True)).startswith(says)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"error": "\xff"}', b"[" * 100_000, b'{"errors": [' + b"[" * 900])
def test_without_words_there_are_none(body: bytes) -> None:
    """The body need not be JSON."""
    assert refusal(404, body).said == ""


def test_the_words_hold_no_secret_and_are_short() -> None:
    """Some CRMs repeat the request."""
    said = refusal(422, msgspec.json.encode({"field-errors": {"key": f"{KEY} " + "long " * 100}})).said
    assert said.startswith("key: [hidden] long")
    assert len(said) == 200


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"RateLimit": "limit=10, remaining=0, reset=7", "Retry-After": "9", "RateLimit-Reset": "11"}, 7),
        ({"RateLimit": "reset=7"}, 7),
        ({"RateLimit": "limit=10;remaining=0;reset=0", "Retry-After": "9"}, 9),
        ({"RateLimit": "limit=10, remaining=0", "Retry-After": "9"}, 9),
        ({"Retry-After": "9", "RateLimit-Reset": "11"}, 9),
        ({"Retry-After": formatdate(NOW + 20, usegmt=True)}, 20),
        ({"Retry-After": "soon", "RateLimit-Reset": "11"}, 11),
        ({"x-rate-limit-reset": "0.35"}, 0.35),
        ({"x-rate-limit-reset": str(NOW + 12)}, 12),
        ({"x-rate-limit-reset": str(NOW - 12)}, 0),
        ({"RateLimit": "limit=1, reset=999999"}, 3600),
        ({"x-rate-limit-reset": "999999"}, 3600),
    ],
)
def test_the_wait_is_read_in_the_order_of_exactness(headers: dict[str, str], seconds: float) -> None:
    """And is a blink longer, since clocks differ."""
    assert wait_asked(CaseInsensitiveDict(headers), NOW) == pytest.approx(seconds + 0.05)


@pytest.mark.parametrize(
    "headers", [{}, {"RateLimit": "limit=10, remaining=0"}, {"RateLimit": "reset=soon"}, {"RateLimit-Reset": "nan"}]
)
def test_without_a_word_on_it_the_wait_is_the_taps_own(headers: dict[str, str]) -> None:
    """Headers are no must."""
    assert wait_asked(headers, NOW) is None


@given(text=st.text(alphabet="reset=w;, -.e0123456789naif", max_size=40))
def test_any_header_at_all_asks_for_no_more_than_an_hour(text: str) -> None:
    """And for no less than nothing."""
    for name in ("RateLimit", "Retry-After", "RateLimit-Reset", "X-Rate-Limit-Reset"):
        asked = wait_asked({name: text}, NOW)
        assert asked is None or 0 <= asked <= 3601


def test_a_429_with_a_reset_holds_its_group_only() -> None:
    """The header is obeyed by the transport, whether it paces or not."""
    fake = FakeTime()
    pacing = Pacing(0, lambda _, path: path, clock=fake.clock, sleep=fake.sleep)
    with serving(Answer(status=429, headers={"RateLimit": "limit=10; remaining=0; reset=4"}), Answer()) as server:
        assert ask(transport_to(server, pacing=pacing)) == [{"id": 1}]
    assert fake.slept == pytest.approx([4.05])
    pacing.hold("POST", "/people/search", 30)
    assert pacing.wait("GET", "/other") == 0.0


def test_the_transport_paces_by_the_limit_that_answers_tell() -> None:
    """Two within any second, though the documentation said ten; and not much fewer."""
    fake = FakeTime()
    pacing = Pacing(600, clock=fake.clock, sleep=fake.sleep)
    with serving(Answer(headers={"RateLimit": "limit=2, remaining=1, reset=1"})) as server:
        transport = transport_to(server, pacing=pacing)
        for _ in range(4):
            ask(transport)
    assert 2.0 <= sum(fake.slept) <= 3.0  # the third a second after the first, the fourth after the second
    assert transport.pacing.interval == pytest.approx(0.5 / 0.98)
