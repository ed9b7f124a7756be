"""What may arrive at the inbox: every kind of delivery of every CRM, and every fault of what arrives, as bytes."""

from __future__ import annotations

import copy
import json
import socket
import struct
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

from tap_crm.inbox.receiver import MOST_BYTES
from tests.inbox.serving import COPPER, KEY, TOKEN, close_headers, copera_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

#: What is sent, in order: bytes, or seconds of silence.
Piece: TypeAlias = bytes | float
Headers: TypeAlias = "Mapping[str, str]"
DAY = 86_400.0
#: What the connection ends with, where it is not the sender that waits for an answer.
RESET, SHUT = "reset", "shut"


def proof(crm: str, body: bytes) -> dict[str, str]:
    """Return the headers that prove a body to be the CRM's."""
    return {"copper": lambda _: dict(COPPER), "close": close_headers, "copera": copera_headers}[crm](body)


@dataclass(frozen=True)
class Sent:
    """A request as it goes over the wire.

    Attributes:
        pieces: its bytes.
        statuses: what it may be answered with; None stands for no answer.
        body: what has to be kept if it is answered by 200.
        ends: how the sender ends the connection before an answer, "" if it waits for one.
        is_open: whether it may be kept though the sender heard of no 200, or of something else.
    """

    pieces: tuple[Piece, ...]
    statuses: tuple[int | None, ...]
    body: bytes
    ends: str = ""
    is_open: bool = False


def send(url: str, sent: Sent, timeout: float = 20.0) -> int | None:
    """Send, and return the status; None where no answer came."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout) as connection:
        with suppress(ConnectionError):  # refused before it was read, as it may be
            for piece in sent.pieces:
                if isinstance(piece, float):
                    time.sleep(piece)
                else:
                    connection.sendall(piece)
        if sent.ends == RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return None
        if sent.ends == SHUT:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        with suppress(ConnectionError, TimeoutError):
            while b"\r\n\r\n" not in answer and (more := connection.recv(65_536)):
                answer += more
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else None


def request(path: str, headers: Headers, body: bytes, length: int | None = None, *, chunked: bool = False) -> bytes:
    """Return the head of a request; its length is the body's unless another one is said."""
    framed = (
        {"Transfer-Encoding": "chunked"}
        if chunked
        else {"Content-Length": str(len(body) if length is None else length)}
    )
    named = {"Host": "127.0.0.1", "Content-Type": "application/json", **framed, **headers}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def chunks(body: bytes, size: int) -> bytes:
    """Return a body in chunks, without the last one."""
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in parts)


def wire_faults(crm: str, body: bytes) -> Iterator[tuple[str, Sent]]:
    """Yield a proven delivery with each fault of the way: by the fault's name."""
    path, own = f"/{crm}/{TOKEN}", proof(crm, body)
    half = len(body) // 2
    signed = crm != "copper"  # the token proves whatever comes, a signature its very bytes
    head, chunked = request(path, own, body), request(path, own, body, chunked=True)

    yield "whole", Sent((head, body), (200,), body)
    yield "twice", Sent((head, body), (200,), body)
    yield "in chunks", Sent((chunked, chunks(body, 7), b"0\r\n\r\n"), (200,), body)
    yield "byte by byte", Sent((*(head[at : at + 1] for at in range(len(head))), body), (200,), body)
    yield "cut body, closed", Sent((head, body[:half]), (None, 400), body, SHUT)
    yield "cut body, reset", Sent((head, body[:half]), (None,), body, RESET)
    yield "cut chunks, closed", Sent((chunked, chunks(body, 7)[:half]), (None, 400), body, SHUT)
    yield "cut head, closed", Sent((head[:40],), (None, 400), body, SHUT)
    yield "cut head, reset", Sent((head[:40],), (None,), body, RESET)
    yield "reset before the answer", Sent((head, body), (None,), body, RESET, is_open=True)
    begun = (401, 400, None) if signed else (200, 400, None)  # what follows is no request, and ends the connection
    yield "length too small", Sent((request(path, own, body, half), body), begun, body[:half], is_open=not signed)
    yield "length too large", Sent((request(path, own, body, 2 * len(body)), body), (None, 408, 400), body, SHUT)
    yield "length is no number", Sent((head.replace(str(len(body)).encode(), b"some"), body), (400, None), body)
    yield "negative length", Sent((request(path, own, body, -1), body), (400, None), body)
    yield "two lengths", Sent((head[:-2] + b"Content-Length: 3\r\n\r\n", body), (400, None, 401), body)
    both = head[:-2] + b"Transfer-Encoding: chunked\r\n\r\n"
    yield "length and chunks", Sent((both, chunks(body, 7), b"0\r\n\r\n"), (200, 400, None), body)
    yield "a chunk of no size", Sent((chunked, b"zz\r\n", body), (400, None), body)
    yield "slow drip", Sent((head, body[:half], 0.6, body[half:]), (408,), body)
    yield "silent body", Sent((head, 0.6), (408,), body)
    yield "silent head", Sent((head[:40], 0.6), (None, 400, 408), body)
    yield "large length", Sent((request(path, own, body, MOST_BYTES + 1), body), (413,), body)
    huge = b" " * (MOST_BYTES + 1)
    yield (
        "huge, in chunks",
        Sent((request(path, proof(crm, huge), b"", chunked=True), chunks(huge, 1 << 20)), (413,), body),
    )
    flood = {**own, "X-Flood": "y" * 200_000}
    yield "huge head", Sent((request(path, flood, body), body), (200, 400, 431, None), body)
    yield "no HTTP", Sent((b"SSH-2.0-OpenSSH_9.6\r\n\r\n",), (400, None), body)
    yield from _unproven(crm, path, own, body)


def _unproven(crm: str, path: str, own: dict[str, str], body: bytes) -> Iterator[tuple[str, Sent]]:
    """Yield what does not prove to be the CRM's, or hardly."""
    yield "wrong token", Sent((request(f"/{crm}/{TOKEN[:-1]}", own, body), body), (401,), body)
    yield "token of another case", Sent((request(f"/{crm}/{TOKEN.swapcase()}", own, body), body), (401,), body)
    yield "no proof", Sent((request(path, {}, body), body), (401,), body)
    yield "path above", Sent((request(f"/{crm}/{TOKEN}/..", own, body), body), (401,), body)
    yield "another CRM", Sent((request(f"/pebble/{TOKEN}", own, body), body), (401,), body)
    if crm == "copper":
        forged = {"X-Tap-Crm-Token": TOKEN[::-1]}
        yield "wrong header", Sent((request(path, forged, body), body), (401,), body)
        return
    other = {name: value.replace(value[-8:], "00000000") for name, value in own.items()}
    yield "wrong signature", Sent((request(path, other, body), body), (401,), body)
    yield "signature of another body", Sent((request(path, proof(crm, body + b" "), body), body), (401,), body)
    yield "signature is no text", Sent((request(path, dict.fromkeys(own, "\xff\xfe"), body), body), (401,), body)
    yield "empty signature", Sent((request(path, dict.fromkeys(own, ""), body), body), (401,), body)
    if crm == "close":
        now = time.time()
        for name, at, status in (("a year old", now - 365 * DAY, 200), ("before 1970", -DAY, 401)):
            yield (
                f"signed, {name}",
                Sent((request(path, close_headers(body, KEY, at), body), body), (status, 200, 401), body),
            )
        future = close_headers(body, KEY, now + 365 * DAY)
        yield "signed, in a year", Sent((request(path, future, body), body), (200, 401), body)
        odd = {**own, "close-sig-timestamp": "9" * 400}
        yield "signed, no time", Sent((request(path, odd, body), body), (401,), body)


def changed(event: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - JSON
    """Yield an event with each of its fields missing, or of another kind; fields of objects in it, too."""
    odd: tuple[Any, ...] = (
        None,
        {},
        [],
        [[]],
        {"a": {"b": 1}},
        "",
        "x",
        "🙂\x00",
        0,
        -1,
        2**80,
        1.5,
        True,
        [None, {}, "x"],
    )
    for path in _paths(event):
        name = ".".join(map(str, path))
        yield f"without {name}", _with(event, path, _GONE)
        for value in odd:
            yield f"{name} is {json.dumps(value)}", _with(event, path, value)
        yield f"{name} is deep", _with(event, path, json.loads("[" * 400 + "]" * 400))
        yield f"{name} is long", _with(event, path, "z" * 100_000)


_GONE = object()


def _paths(value: Any) -> Iterator[tuple[str, ...]]:  # noqa: ANN401
    if isinstance(value, dict):
        for name, one in value.items():
            yield (name,)
            if name not in ("data", "previous_data", "meta"):  # content of records, which nobody takes for true
                yield from ((name, *rest) for rest in _paths(one))


def _with(event: Any, path: tuple[str, ...], value: Any) -> Any:  # noqa: ANN401
    made = copy.deepcopy(event)
    at = made
    for name in path[:-1]:
        at = at[name]
    if value is _GONE:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return made


def odd_bodies(bodies: Iterable[bytes], more: Callable[[Any], Iterable[tuple[str, Any]]] = changed) -> Iterator[bytes]:
    """Yield proven bodies of which nothing follows, or nothing that is true: broken, changed, of nobody."""
    text = b""
    for body in bodies:
        text = body
        for _, event in more(json.loads(body)):
            yield json.dumps(event).encode()
    yield from (b"", b" ", b"null", b"true", b"[]", b"{}", b'"ok"', b"0", b"<html></html>", b"\xff\xfe", b"\x00" * 99)
    yield from (text[:-1], text[: len(text) // 2], text + text, b"[" + text + b"]", b"\xef\xbb\xbf" + text)
    yield text.decode().encode("utf-16")
    yield b"[" * 200_000
    yield b"[" * 200_000 + b"]" * 200_000
    yield b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    yield b'{"ids": [' + b",".join(b"%d" % at for at in range(100_000)) + b'], "type": "person", "event": "update"}'
