"""The settings that only Close has."""

from __future__ import annotations

from dataclasses import dataclass

from tap_crm.config.kinds import group
from tap_crm.config.oauth_settings import OAuthSettings
from tap_crm.config.setting import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseSettings:
    """What Close takes instead of a key."""

    oauth: OAuthSettings | None = setting(
        group(OAuthSettings),
        "OAuth app",
        "Close: an OAuth app's `client_id`, `client_secret` and a `refresh_token`, and the `token_file` in which the "
        "tap keeps the tokens that follow on it; as an object or as JSON text. `token_url` overrides the CRM's token "
        "address.",
        secret=True,
    )
