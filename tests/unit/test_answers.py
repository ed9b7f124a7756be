"""Which answers are believed, which are asked for again, and which are the CRM's final word."""

from __future__ import annotations

import gzip

import pytest

from tap_crm import errors
from tap_crm.ledger import Ledger
from tap_crm.transport.question import Doubtful, Question, Reply
from tests.unit.loopback import KEY, Answer, ask, http, sending, serving, transport_to

GOOD = [{"id": 1}]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait hardly at all before the second attempt: how long is another file's topic."""
    monkeypatch.setattr("tap_crm.transport.session.FIRST_WAIT", 0.01)


def test_a_200_with_json_is_believed() -> None:
    """The question goes out as it was put, the answer comes back parsed."""
    with serving(Answer()) as server:
        question = Question("POST", "/people/search", "people", params={"a": "b c", "n": 2}, body={"page_size": 200})
        assert ask(transport_to(server, headers={"X-Own": "yes"}), question) == GOOD
        (asked,) = server.asked
        assert (asked.method, asked.path) == ("POST", "/v1/people/search?a=b+c&n=2")
        assert asked.body == b'{"page_size":200}'
        assert asked.headers["X-PW-AccessToken"] == KEY
        assert asked.headers["X-Own"] == "yes"


def test_a_get_has_neither_body_nor_question_mark() -> None:
    """Copper's small lists are plain GETs."""
    with serving(Answer()) as server:
        ask(transport_to(server.url + "/"), Question("GET", "/pipelines", "pipelines"))
        (asked,) = server.asked
        assert (asked.method, asked.path, asked.body) == ("GET", "/v1/pipelines", b"")


def test_a_reply_brings_headers_and_the_servers_time() -> None:
    """Readings need the total and the clock."""
    date = "Thu, 01 Jan 2026 00:00:00 GMT"
    with serving(Answer(headers={"X-PW-TOTAL": "17", "Date": date})) as server:
        transport = transport_to(server)
        seen: list[Reply] = []
        transport.ask(Question("GET", "/x", "x"), seen.append, Ledger())
        assert seen[0].headers["x-pw-total"] == "17"
        assert seen[0].server_time == 1_767_225_600
        assert abs(transport.clock.now() - 1_767_225_600) < 5
        assert transport.latency > 0


def test_a_compressed_answer_is_read() -> None:
    """Which is what a browser would get too."""
    body = gzip.compress(b'[{"id": 1}]')
    with serving(Answer(body=body, headers={"Content-Encoding": "gzip"})) as server:
        assert ask(transport_to(server)) == GOOD


def test_json_without_a_content_type_is_believed() -> None:
    """The body decides then."""
    with serving(Answer(content_type=None)) as server:
        assert ask(transport_to(server)) == GOOD


@pytest.mark.parametrize(
    "doubtful",
    [
        Answer(status=408),
        Answer(status=500, body=b'{"message": "oops"}'),
        Answer(status=502, body=b"<html>", content_type="text/html"),
        Answer(status=503),
        Answer(status=504),
        Answer(status=204, body=b""),
        Answer(body=b""),
        Answer(body=b"null"),
        Answer(body=b'[{"id": 1}, {"i'),
        Answer(body=b'{"error": "shown with 200"}'),
        Answer(body=b'[{"id": 1}] trailing'),
        Answer(body=b"<html>sign in</html>", content_type="text/html; charset=utf-8"),
        Answer(body=b"<html>sign in</html>"),
        Answer(body=b"[]", content_type="text/plain"),
        Answer(body=b'[{"name": "\xff"}]'),
        Answer(body=b"[" * 100_000),
        Answer(body=b"no gzip at all", headers={"Content-Encoding": "gzip"}),
    ],
    ids=[
        "408",
        "500",
        "502",
        "503",
        "504",
        "204",
        "empty",
        "null",
        "cut",
        "object",
        "trailing",
        "html",
        "html-as-json",
        "json-as-text",
        "no-utf8",
        "deep",
        "broken-gzip",
    ],
)
def test_a_doubtful_answer_is_asked_for_again(doubtful: Answer) -> None:
    """It is never an empty page."""
    ledger = Ledger()
    with serving(doubtful, Answer()) as server:
        assert ask(transport_to(server), ledger=ledger) == GOOD
    assert (ledger.requests, ledger.retries, ledger.rate_limited) == (2, 1, 0)


def test_text_that_is_no_utf8_is_noticed_where_the_parser_skips_it() -> None:
    """The page is decoded again later, when it is too late to ask again."""
    with serving(Answer(body=b'[{"id": 1, "name": "\xff"}]'), Answer()) as server:
        reply = transport_to(server).ask(Question("GET", "/x", "x"), lambda reply: reply.body, Ledger())
    assert reply == b'[{"id": 1}]'


def test_a_parser_may_doubt_an_answer() -> None:
    """A reading knows the shape that was declared."""
    seen: list[bytes] = []

    def parse(reply: Reply) -> int:
        seen.append(reply.body)
        if len(seen) == 1:
            raise Doubtful("the answer is no list")
        return 7

    with serving(Answer()) as server:
        assert transport_to(server).ask(Question("GET", "/x", "x"), parse, Ledger()) == 7


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, errors.Refused),
        (401, errors.CredentialsRefused),
        (402, errors.Forbidden),
        (403, errors.Forbidden),
        (404, errors.NotThere),
        (405, errors.Refused),
        (410, errors.Refused),
        (415, errors.Refused),
        (422, errors.Refused),
        (301, errors.ReadError),
        (304, errors.ReadError),
    ],
)
def test_a_final_word_is_not_asked_for_again(status: int, error: type[errors.ReadError]) -> None:
    """Asking again only delays the failure; the message names the question and the status."""
    ledger = Ledger()
    body = b"" if status == 304 else b"{}"
    with serving(Answer(status=status, body=body)) as server, pytest.raises(error, match=rf"people, page 3.*{status}"):
        ask(transport_to(server), ledger=ledger)
    assert (ledger.requests, ledger.retries) == (1, 0)
    assert ledger.waited < 0.01


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (http(b'[{"id": 1}', "Content-Length: 100"), "declared longer than it is"),
        (http(b"4\r\n[{}]\r\n", "Transfer-Encoding: chunked"), "chunks without an end"),
        (http(b"zz\r\n[{}]\r\n", "Transfer-Encoding: chunked"), "chunks without sizes"),
        (http(b'[{"id": 1', "Connection: close"), "closed in the middle"),
        (http(b"[{}]", "Content-Length: 4, 5"), "two lengths"),
        (b"", "closed at once"),
        (b"HTTP/1.1 200", "closed in the head"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "another protocol"),
        (http(b"", "Location: http://[broken", "Content-Length: 0", status="302 Found"), "redirect to nowhere"),
        (http(b"", "Content-Length: 0", status="999 What"), "unknown status"),
    ],
)
def test_a_broken_answer_is_asked_for_again(broken: bytes, reason: str) -> None:
    """Declared length, chunks and JSON must all be closed."""
    ledger = Ledger()
    whole = http(b'[{"id": 1}]', "Content-Length: 11")
    with sending(broken, whole) as server:
        assert ask(transport_to(server), ledger=ledger) == GOOD, reason
    assert ledger.retries == 1


def test_an_answer_that_does_not_come_is_asked_for_again() -> None:
    """The read timeout is the user's setting."""
    ledger = Ledger()
    with sending(None, http(b'[{"id": 1}]', "Content-Length: 11")) as server:
        assert ask(transport_to(server, read_timeout=0.1), ledger=ledger) == GOOD
    assert ledger.retries == 1


def test_cookies_are_not_kept() -> None:
    """An API needs none, and threads would share them."""
    with serving(Answer(headers={"Set-Cookie": "session=abc; Path=/"})) as server:
        transport = transport_to(server)
        ask(transport)
        ask(transport)
        assert "Cookie" not in server.asked[1].headers
