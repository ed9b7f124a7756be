"""Every fault that an answer can have, from the connection up to what the records say."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, replace
from email.utils import formatdate
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.proof.seam import Asked, Refused, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tests.proof.seam import AppServer, Piece

PAGE = b"<html><head><title>Bad gateway</title></head><body><h1>We'll be right back</h1></body></html>"
#: Longer than a request may stay silent; and a byte so seldom comes in time, but the answer never does.
SILENCE, SELDOM = 10_000.0, 60.0
DAY, TEN_MINUTES = 86_400.0, 600.0


class Told(Enum):
    """What can be known of an answer with a fault."""

    BROKEN = "it shows"
    HARMLESS = "it changes nothing that matters"
    DECEIVING = "it may be the truth"


@dataclass(frozen=True)
class Moment:
    """What a fault is made of: what was asked, what is answered, and what was answered before."""

    asked: Asked
    server: AppServer
    before: Sequence[Response]
    """Earlier answers to the same kind of question, the first one first."""
    other: AppServer
    """Another account of the same CRM."""
    now: float

    def whole(self) -> Response:
        """Return the answer without a fault."""
        return self.server.respond(self.asked)


Make: TypeAlias = "Callable[[Moment], Iterable[Piece]]"


@dataclass(frozen=True)
class Fault:
    """One kind of fault."""

    name: str
    make: Make
    told: Told = Told.BROKEN
    #: Whether a write that is answered so was carried out.
    effect: bool = False


def _status(code: int, body: bytes = b'{"error": "try again"}', **headers: str) -> Make:
    def make(moment: Moment) -> Iterable[Piece]:
        named = {"content-type": "application/json", "date": formatdate(moment.now, usegmt=True)}
        return Response(
            code, {**named, **{key.replace("_", "-"): value for key, value in headers.items()}}, body
        ).pieces()

    return make


def _retry_at(moment: Moment) -> Iterable[Piece]:
    return _status(429, retry_after=formatdate(moment.now + 7, usegmt=True))(moment)


def _refused(_: Moment) -> Iterable[Piece]:
    raise Refused


def _body(change: Callable[[bytes], bytes], kind: str | None = "", status: int | None = 200) -> Make:
    """Answer with a changed body; ``kind`` is another content type, None none at all; a status of None is kept."""

    def make(moment: Moment) -> Iterable[Piece]:
        whole = moment.whole()
        changed = replace(whole, status=status or whole.status, body=change(whole.body), headers=dict(whole.headers))
        changed.headers.pop("content-length", None)
        if kind is None:
            changed.headers.pop("content-type", None)
        elif kind:
            changed.headers["content-type"] = kind
        return changed.pieces()

    return make


def _half(moment: Moment, *ends: Piece) -> Iterable[Piece]:
    whole = moment.whole()
    return [whole.head(), whole.body[: len(whole.body) // 2], *ends]


def _half_of_a_chunk(moment: Moment) -> Iterable[Piece]:
    whole = moment.whole()
    size = f"{len(whole.body):x}\r\n".encode()
    return [whole.head(content_length=None, transfer_encoding="chunked"), size, whole.body[: len(whole.body) // 2]]


def _without_length(moment: Moment) -> Iterable[Piece]:
    whole = moment.whole()
    return [whole.head(content_length=None, connection="close"), whole.body[: len(whole.body) // 2]]


def _dripping(moment: Moment) -> Iterable[Piece]:
    whole = moment.whole()
    yield whole.head()
    for at in range(len(whole.body)):
        yield SELDOM
        yield whole.body[at : at + 1]


def _endless(moment: Moment) -> Iterable[Piece]:
    whole = moment.whole()
    yield whole.head(content_length=None, connection="close")
    yield b'{"data": ['
    block = b" " * 262_144
    while True:
        yield block


def _zipped(moment: Moment, part: float = 1.0) -> Iterable[Piece]:
    whole = moment.whole()
    zipped = gzip.compress(whole.body, 1)
    zipped = zipped[: int(len(zipped) * part)]
    return [whole.head(content_encoding="gzip", content_length=str(len(zipped))) + zipped]


def _bomb(moment: Moment) -> Iterable[Piece]:
    whole = moment.whole()
    return [whole.head(content_encoding="gzip", content_length=str(len(_BOMB))) + _BOMB]


#: Thousands of bytes that become millions.
_BOMB = gzip.compress(b" " * 1_048_576, 9) * 8


def _dated(date: Callable[[float], str | None]) -> Make:
    def make(moment: Moment) -> Iterable[Piece]:
        whole = moment.whole()
        return [whole.head(date=date(moment.now)) + whole.body]

    return make


def _records(change: Callable[[list[Any]], list[Any]]) -> Make:
    """Change the lists of an answer: itself, or what its envelope holds."""

    def changed(body: bytes) -> bytes:
        try:
            value = json.loads(body)
        except ValueError:
            return body
        if isinstance(value, list):
            return json.dumps(change(value)).encode()
        if isinstance(value, dict) and not value.keys() & {"id", "_id"}:  # that would be a record
            value = {key: change(one) if isinstance(one, list) else one for key, one in value.items()}
        return json.dumps(value).encode()

    return _body(changed)


def _keyed(key: object) -> Callable[[list[Any]], list[Any]]:
    """Give every field that may be a key another value."""
    names = ("id", "_id", "uid", "key", "name", "email")
    return lambda records: [
        {name: key if name in names else value for name, value in one.items()} if isinstance(one, dict) else one
        for one in records
    ]


def _of_another_account(moment: Moment) -> Iterable[Piece]:
    return moment.other.respond(moment.asked).pieces()


def _repeated(moment: Moment) -> Iterable[Piece]:
    return (moment.before[0] if moment.before else moment.whole()).pieces()


def parameters(asked: Asked) -> list[str]:
    """Return the names of what a request asks by: of its query, and of its body's first level."""
    names = [name for name, _ in parse_qsl(asked.query, keep_blank_values=True)]
    try:
        body = json.loads(asked.body) if asked.body else {}
    except ValueError:
        body = {}
    return [*dict.fromkeys([*names, *(body if isinstance(body, dict) else ())])]


def ignoring(name: str) -> Make:
    """Answer as a server does that does not know a parameter."""

    def make(moment: Moment) -> Iterable[Piece]:
        asked = moment.asked
        query = [(key, value) for key, value in parse_qsl(asked.query, keep_blank_values=True) if key != name]
        target = urlsplit(asked.target)._replace(query=urlencode(query)).geturl()
        body = asked.body
        if body and name in (told := json.loads(body)):
            body = json.dumps({key: value for key, value in told.items() if key != name}).encode()
        return moment.server.respond(replace(asked, target=target, body=body)).pieces()

    return make


def _deep(_: bytes) -> bytes:
    return b"[" * 100_000 + b"]" * 100_000


FAULTS: dict[str, Fault] = {
    fault.name: fault
    for fault in (
        Fault("500", _status(500)),
        Fault("502 in HTML", _status(502, PAGE, content_type="text/html")),
        Fault("503 with Retry-After", _status(503, retry_after="3")),
        Fault("504 without a body", _status(504, b"")),
        Fault("429", _status(429)),
        Fault("429 with seconds", _status(429, retry_after="5")),
        Fault("429 with a date", _retry_at),
        Fault("429 with a reset", _status(429, ratelimit="limit=100, remaining=0, reset=5")),
        Fault("429 with words", _status(429, b'{"retryAfter": 5}')),
        Fault("429 with nonsense", _status(429, retry_after="soon", ratelimit="limit=x, reset=-1")),
        Fault("connection refused", _refused),
        Fault("reset before headers", lambda _: [ConnectionResetError(104, "Connection reset by peer")]),
        Fault("closed before headers", lambda _: []),
        Fault("no HTTP", lambda _: [b"SSH-2.0-OpenSSH_9.6\r\n"]),
        Fault("cut headers", lambda moment: [moment.whole().head()[:40]], effect=True),
        Fault(
            "reset in the body", lambda moment: _half(moment, ConnectionResetError(104, "reset by peer")), effect=True
        ),
        Fault("closed in the body", _half, effect=True),
        Fault("closed in a chunk", _half_of_a_chunk, effect=True),
        Fault("closed, no length told", _without_length, effect=True),
        Fault("stall", lambda _: [SILENCE]),
        Fault("stall in the body", lambda moment: _half(moment, SILENCE), effect=True),
        Fault("slow drip", _dripping, effect=True),
        Fault("endless", _endless, effect=True),
        Fault("gzip bomb", _bomb, effect=True),
        Fault("cut JSON", _body(lambda body: body[: len(body) // 2] or b"["), effect=True),
        Fault("garbage JSON", _body(lambda body: body[:-1] + b',"oops": nope}'), effect=True),
        Fault("deep JSON", _body(_deep), effect=True),
        Fault("no UTF-8", _body(lambda body: b"\xff\xfe" + body), effect=True),
        Fault("HTML with 200", _body(lambda _: PAGE, "text/html"), effect=True),
        Fault("HTML as JSON", _body(lambda _: PAGE), effect=True),
        Fault("empty with 200", _body(lambda _: b""), effect=True),
        Fault("204", _body(lambda _: b"", status=204), effect=True),
        Fault("null", _body(lambda _: b"null"), effect=True),
        Fault("a text", _body(lambda _: b'"ok"'), effect=True),
        Fault("a number", _body(lambda _: b"0"), effect=True),
        Fault("[]", _body(lambda _: b"[]"), Told.DECEIVING, effect=True),
        Fault("{}", _body(lambda _: b"{}"), effect=True),
        Fault("an error with 200", _body(lambda _: b'{"error": "try again"}'), effect=True),
        Fault("wrong content type", _body(lambda body: body, "text/html; charset=utf-8"), effect=True),
        Fault("no content type", _body(lambda body: body, None, None), Told.HARMLESS, effect=True),
        Fault("wrapped", _body(lambda body: b'{"unexpected": ' + (body or b"null") + b"}"), effect=True),
        Fault("in a list", _body(lambda body: b"[" + (body or b"null") + b"]"), effect=True),
        Fault("records as texts", _records(lambda records: [str(one) for one in records]), effect=True),
        Fault("records as null", _records(lambda records: [None for _ in records]), effect=True),
        Fault("records without keys", _records(_keyed(None)), effect=True),
        Fault("keys as objects", _records(_keyed({"a": 1})), effect=True),
        Fault("no records", _records(lambda _: []), Told.DECEIVING, effect=True),
        Fault(
            "half of the records", _records(lambda records: records[: len(records) // 2]), Told.DECEIVING, effect=True
        ),
        Fault("records of another account", _of_another_account, Told.DECEIVING),
        Fault("first page again", _repeated, Told.DECEIVING),
        Fault("gzip", _zipped, Told.HARMLESS, effect=True),
        Fault("gzip, cut", lambda moment: _zipped(moment, 0.5), effect=True),
        Fault("no Date", _dated(lambda _: None), Told.HARMLESS, effect=True),
        Fault("Date is no date", _dated(lambda _: "yesterday, in the evening"), Told.HARMLESS, effect=True),
        Fault(
            "Date 10 min ahead",
            _dated(lambda now: formatdate(now + TEN_MINUTES, usegmt=True)),
            Told.HARMLESS,
            effect=True,
        ),
        Fault(
            "Date 10 min behind",
            _dated(lambda now: formatdate(now - TEN_MINUTES, usegmt=True)),
            Told.HARMLESS,
            effect=True,
        ),
        Fault("Date a day ahead", _dated(lambda now: formatdate(now + DAY, usegmt=True)), Told.HARMLESS, effect=True),
        Fault("Date a day behind", _dated(lambda now: formatdate(now - DAY, usegmt=True)), Told.HARMLESS, effect=True),
    )
}
