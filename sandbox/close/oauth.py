"""The OAuth token endpoint, and which access tokens are valid."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import msgspec

from sandbox.exchange import Answer, Refusal, encoded

if TYPE_CHECKING:
    from sandbox.close.records import OrganizationRecords
    from sandbox.exchange import Request

CLIENT_ID = "oa2client_sandbox"
CLIENT_SECRET = "sandbox-close-client-secret"  # noqa: S105
REFRESH_TOKEN = "sandbox-close-refresh-token"  # noqa: S105
ACCESS_TOKEN = "sandbox-close-access-token"  # noqa: S105

_FORM = "application/x-www-form-urlencoded"
_NEEDED = {"client_id", "client_secret", "grant_type", "refresh_token"}


class OAuth:
    """Refresh tokens, of which only the newest is valid, and the access tokens they gave."""

    def __init__(self, records: OrganizationRecords) -> None:
        self.records = records
        self.refresh_token = REFRESH_TOKEN
        self.access: dict[str, float] = {ACCESS_TOKEN: float("inf")}

    def valid(self, token: str) -> bool:
        """Whether an access token may be used now."""
        return self.access.get(token, 0.0) > time.monotonic()

    def answer(self, request: Request, seconds: float) -> Answer:
        """Exchange the refresh token for new ones; the old one is void at once."""
        if request.media_type != _FORM:
            raise Refusal(415, "The body must be form-encoded")
        given = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        if given.get("grant_type") not in ("refresh_token", "authorization_code"):
            raise _error("unsupported_grant_type")
        if given.get("client_id") != CLIENT_ID or given.get("client_secret") != CLIENT_SECRET:
            raise _error("invalid_client", 401)
        if given["grant_type"] == "authorization_code" or given.get("refresh_token") != self.refresh_token:
            raise _error("invalid_grant")
        if set(given) - _NEEDED:
            raise _error("invalid_request")
        token = self.records.source.short("access")
        self.refresh_token = self.records.source.short("refresh")
        self.access[token] = time.monotonic() + seconds
        return encoded(
            {
                "token_type": "Bearer",
                "access_token": token,
                "expires_in": int(seconds),
                "refresh_token": self.refresh_token,
                "scope": "all.full_access offline_access",
                "organization_id": self.records.source.organization_id,
                "user_id": self.records.source.user_ids[0],
            }
        )


def _error(text: str, status: int = 400) -> Refusal:
    return Refusal(status, text, body=msgspec.json.encode({"error": text}))
