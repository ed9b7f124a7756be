"""The plainest way to sign a request: headers that never change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from requests.auth import AuthBase
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requests import PreparedRequest


class FixedHeaders(AuthBase):
    """Puts fixed headers onto a request."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    @override
    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign the request."""
        request.headers.update(self._headers)
        return request


def bearer(token: str) -> FixedHeaders:
    """Return what signs with a token that is not renewed."""
    return FixedHeaders({"Authorization": f"Bearer {token}"})
