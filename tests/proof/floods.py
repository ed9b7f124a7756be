"""Answers and requests of two gigabytes, as they come over a real connection, and what a process does with them."""

from __future__ import annotations

import gzip
import threading
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from typing import TYPE_CHECKING

from tests.proof.seam import Asked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.proof.seam import AppServer

#: Bytes of a body, unpacked; and of the piece that is sent again and again.
SIZE, PIECE = 2_000_000_000, 1_000_000
#: What a list of records looks like that never ends; each record is a hundred bytes.
_RECORD = b'{"id":1,"_id":"a","name":"%s"},'
_RECORDS = (_RECORD % (b"x" * (100 - len(_RECORD) + 2))) * (PIECE // 100)
_ZIPPED = gzip.compress(_RECORDS, 6)
_START = b"["
_ZIPPED_START = gzip.compress(_START)


@dataclass(frozen=True)
class Form:
    """How a body comes.

    Attributes:
        is_zipped: whether it is packed.
        is_chunked: whether its length is told or comes piece by piece.
        status: of the answer.
    """

    is_zipped: bool
    is_chunked: bool
    status: int = 200

    def __str__(self) -> str:
        """Name it."""
        packed = "gzip" if self.is_zipped else "plain"
        length = "chunked" if self.is_chunked else "its length told"
        return f"{packed}, {length}" + (f", with {self.status}" if self.status != 200 else "")

    @property
    def headers(self) -> dict[str, str]:
        """What stands before it."""
        length = len(self._start) + (SIZE // PIECE) * len(self._piece)
        return {
            "content-type": "application/json",
            **({"content-encoding": "gzip"} if self.is_zipped else {}),
            **({"transfer-encoding": "chunked"} if self.is_chunked else {"content-length": str(length)}),
        }

    @property
    def _start(self) -> bytes:
        return _ZIPPED_START if self.is_zipped else _START

    @property
    def _piece(self) -> bytes:
        return _ZIPPED if self.is_zipped else _RECORDS

    def pieces(self) -> Iterator[bytes]:
        """Yield it as it is sent."""
        start, piece = self._start, self._piece
        if self.is_chunked:
            start, piece = (b"%x\r\n%s\r\n" % (len(one), one) for one in (start, piece))
        yield start
        for _ in range(SIZE // PIECE):
            yield piece
        if self.is_chunked:
            yield b"0\r\n\r\n"


FORMS = tuple(Form(is_zipped, is_chunked) for is_zipped in (False, True) for is_chunked in (False, True))
#: Also what is refused has a body, or the answer of a server that fails.
ALL_FORMS = (*FORMS, *(Form(is_zipped=True, is_chunked=True, status=status) for status in (403, 404, 500)))


@dataclass
class Flooding:
    """A server that answers as an account does, but for some questions, which it answers by a flood.

    Attributes:
        account: answers.
        is_hit: tells whether a question gets a flood.
        forms: of the floods, one after the other.
        sent: how many floods of each form there were.
    """

    account: AppServer
    is_hit: Callable[[Asked], bool]
    forms: tuple[Form, ...] = FORMS
    sent: Counter[Form] = field(default_factory=Counter)

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Serve, and give the address."""
        flooding, forms, lock = self, cycle(self.forms), threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            """Answers."""

            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                """Answer a request."""
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                asked = Asked(self.command, self.path, dict(self.headers), body)
                if flooding.is_hit(asked):
                    with lock:
                        form = next(forms)
                        flooding.sent[form] += 1
                    self.flood(form)
                    return
                for piece in flooding.account(asked):
                    assert isinstance(piece, bytes)
                    self.wfile.write(piece)

            def flood(self, form: Form) -> None:
                """Send a flood, for as long as it is taken."""
                self.close_connection = True
                self.send_response(form.status)
                for name, value in form.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                with suppress(OSError):
                    for piece in form.pieces():
                        self.wfile.write(piece)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - as they are called

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
