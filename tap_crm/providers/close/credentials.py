"""Close's kinds of credentials (developer.close.com: API keys, OAuth)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from requests.auth import HTTPBasicAuth

from tap_crm.errors import ConfigError
from tap_crm.providers.close.settings import CloseSettings
from tap_crm.transport.oauth import rotating_token
from tap_crm.transport.signing import bearer

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from tap_crm.config.settings import AccountSettings

TOKEN_URL = "https://api.close.com/oauth2/token/"  # noqa: S105 - an address


def authenticate(settings: AccountSettings) -> AuthBase:
    """Return what signs a request.

    Raises:
        ConfigError: nothing is given, or what is given cannot be used.
    """
    if settings.access_token:
        return bearer(settings.access_token)
    oauth = settings.of(CloseSettings).oauth
    if oauth:
        return rotating_token(oauth, oauth.token_url or _token_url(settings.api_url))
    if not settings.api_key:
        raise ConfigError(
            "the setting `api_key` is missing; make one in Close under Settings > Developer > API Keys, or set `oauth`"
        )
    return HTTPBasicAuth(settings.api_key, "")


def _token_url(api_url: str | None) -> str:
    """Return the token address that belongs to the API's: on the same host."""
    if api_url is None:
        return TOKEN_URL
    parts = urlsplit(api_url)
    return urlunsplit((parts.scheme, parts.netloc, urlsplit(TOKEN_URL).path, "", ""))
