"""What a TLS connection that could not be made means."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: OpenSSL's words, by version, for an answer that is no TLS at all.
NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST"})


def was_dropped(fault: BaseException) -> bool:
    """Tell whether a TLS connection just ended, which may go well the next time."""
    return any(isinstance(cause, ssl.SSLEOFError) for cause in _causes(fault))


def explain(fault: BaseException, setting: str) -> str:
    """Return what is wrong, and what to do; ``setting`` holds the address."""
    cause = next((one for one in _causes(fault) if isinstance(one, ssl.SSLError)), None)
    if cause is None or isinstance(cause, ssl.SSLCertVerificationError):
        return f"the server's TLS certificate was not accepted; check `{setting}` and the CA bundle"
    if cause.reason in NO_TLS:
        return f"the server speaks http, not https (TLS); check how `{setting}` begins, and its port"
    return f"the server and this machine agree on no TLS connection ({cause.reason}); check `{setting}` and the network"


def _causes(fault: object) -> Iterator[BaseException]:
    """Yield an exception and those that it was made of: `requests` and `urllib3` wrap each other's."""
    if isinstance(fault, BaseException):
        yield fault
        for inner in (getattr(fault, "reason", None), *fault.args):
            yield from _causes(inner)
