"""A receiver on a port of this machine, in a thread, and requests to it."""

from __future__ import annotations

import hmac
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tap_crm.inbox.app import create
from tap_crm.inbox.server import make_server
from tap_crm.inbox.settings import InboxSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_crm.inbox.spool import Spool

TOKEN = "Zq7-token_of-the-tests.0123456789abcdef"
KEY = "5eed" * 16
COPPER = {"X-Tap-Crm-Token": TOKEN}


def close_headers(body: bytes, key: str = KEY, at: float | None = None) -> dict[str, str]:
    """Sign a body as Close does."""
    stamp = str(int(time.time() if at is None else at))
    signature = hmac.new(bytes.fromhex(key), stamp.encode() + body, "sha256").hexdigest()
    return {"close-sig-hash": signature, "close-sig-timestamp": stamp}


def copera_headers(body: bytes, key: bytes = KEY.encode()) -> dict[str, str]:
    """Sign a body as Copera does."""
    return {
        "X-Copera-Signature": f"sha256={hmac.new(key, body, 'sha256').hexdigest()}",
        "X-Copera-Webhook-Version": "1",
    }


@contextmanager
def receiving(spool: Spool, signature_key: str | None = None) -> Iterator[str]:
    """Receive on a free port; gives the base URL."""
    settings = InboxSettings(address="unused", token=TOKEN, signature_key=signature_key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = make_server(create(settings, spool))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)
