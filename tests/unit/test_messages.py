"""No message holds the key or the content of a record; each is one line and names the question."""

from __future__ import annotations

import logging

import msgspec
import pytest

from tap_crm import errors
from tests.unit.loopback import KEY, Answer, ask, serving, transport_to

CONTENT = "Ada Lovelace <ada@example.com>"


def message_of(answer: Answer) -> str:
    """Return what the user is told after this answer."""
    with serving(answer) as server, pytest.raises(errors.CrmError) as caught:
        ask(transport_to(server, retry_seconds=0))
    return str(caught.value)


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 408, 422, 429, 500, 503])
def test_neither_key_nor_content_is_shown(status: int, caplog: pytest.LogCaptureFixture) -> None:
    """Not even where the CRM repeats the key in its answer."""
    body = msgspec.json.encode({"message": f"the key {KEY} is bad", "data": CONTENT, "name": CONTENT})
    with caplog.at_level(logging.DEBUG, logger="tap-crm"):
        message = message_of(Answer(status=status, body=body, headers={"Location": f"/{KEY}"}))
    assert message.startswith("people, page 3: ")
    for text in (message, caplog.text):
        assert KEY not in text
        assert CONTENT not in text
        assert "ada@" not in text


def test_the_crms_own_words_on_a_refusal_are_shown() -> None:
    """They say which parameter is wrong."""
    body = b'{"success":false,"status":422,"message":"Invalid input: Company Id:\\n must be positive"}'
    message = message_of(Answer(status=422, body=body))
    assert message.endswith("(422): Invalid input: Company Id: must be positive")


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b'{"message": null}', b'{"message": {"name": "Ada"}}', b'{"message": " "}', b"\xff"],
)
def test_a_refusal_without_words_says_so(body: bytes) -> None:
    """A body that is no JSON, or of another shape, is not shown."""
    assert message_of(Answer(status=400, body=body)).endswith("(400): no explanation")


def test_long_words_are_cut() -> None:
    """One line, not a page."""
    body = msgspec.json.encode({"message": "no " * 1000})
    assert len(message_of(Answer(status=400, body=body))) < 300


@pytest.mark.parametrize(
    ("status", "hint"), [(401, "api_key"), (403, "deselect the stream"), (404, "api_url"), (301, "api_url")]
)
def test_a_final_word_says_what_to_do(status: int, hint: str) -> None:
    """One sentence what happened, one what to do."""
    assert hint in message_of(Answer(status=status, body=b""))


def test_a_retry_is_logged_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    """Who watches the log sees why it takes longer."""
    with caplog.at_level(logging.INFO, logger="tap-crm"), serving(Answer(status=500), Answer()) as server:
        ask(transport_to(server))
    said = "people, page 3: status 500; attempt 2 follows, and it is given up in 600 s (`retry_seconds`)"
    assert caplog.messages == [said]


def test_a_retry_that_is_given_up_sooner_than_is_set_names_no_setting(caplog: pytest.LogCaptureFixture) -> None:
    """Somebody is watching, such as at a discovery: another value of the setting would change nothing."""
    with caplog.at_level(logging.INFO, logger="tap-crm"), serving(Answer(status=500), Answer()) as server:
        transport = transport_to(server)
        transport.retry_seconds = 30.0
        ask(transport)
    assert caplog.messages == ["people, page 3: status 500; attempt 2 follows, and it is given up in 30 s"]
