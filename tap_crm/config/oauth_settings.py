"""The setting `oauth`: an OAuth app, and the file that keeps its tokens."""

from __future__ import annotations

from dataclasses import dataclass

from tap_crm.config.kinds import path, text, url
from tap_crm.config.setting import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthSettings:
    """An OAuth app, and the refresh token that buys the first access token."""

    client_id: str = setting(text(), required=True)
    client_secret: str = setting(text(), required=True, secret=True)
    refresh_token: str = setting(text(), required=True, secret=True)
    token_file: str = setting(path(), required=True)
    token_url: str | None = setting(url())
