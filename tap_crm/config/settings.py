"""The settings as a user gave them, checked before any request, and typed."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from tap_crm.config.endpoints import Endpoint, parse_endpoints
from tap_crm.config.schema import OAUTH_NEEDED
from tap_crm.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DAY = 86_400
#: Larger amounts are mistakes, and beyond what clocks and calendars can count.
MOST, MOST_DAYS = 1_000_000, 36_500

_STREAM_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")

SECRETS = ("api_key", "access_token", "oauth")


@dataclass(frozen=True, slots=True)
class OAuthSettings:
    """An OAuth app, and the refresh token from which a run's tokens grow."""

    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)
    token_file: str
    token_url: str | None = None


@dataclass(frozen=True, slots=True)
class PinnedTable:
    """A table, by ids or names, and the name of its stream."""

    board: str
    table: str
    stream: str


@dataclass(frozen=True, slots=True)
class Settings:
    """The user's settings, checked and typed."""

    provider: str
    api_key: str | None = field(repr=False)
    user_email: str | None
    access_token: str | None = field(repr=False)
    oauth: OAuthSettings | None
    api_url: str | None
    start_date: int | None
    requests_per_minute: int | None
    overlap_seconds: int
    activity_lookback_days: float
    reconcile: str
    reconcile_days: float
    reconcile_max_requests: int | None
    max_deletions_percent: float
    max_unexplained_percent: float
    date_order: str
    custom_fields: str
    custom_field_names: str
    tables: tuple[PinnedTable, ...]
    endpoints: tuple[Endpoint, ...]
    retry_seconds: int
    request_timeout_seconds: int

    @classmethod
    def from_config(cls, config: Mapping[str, Any], providers: Iterable[str]) -> Settings:
        """Check the config.

        Raises:
            ConfigError: with one line that names the setting and what it should be.
        """
        known = tuple(providers)
        provider = config.get("provider")
        if not provider:
            raise ConfigError(f"the setting `provider` is missing; set it to one of: {', '.join(known)}")
        if provider not in known:
            raise ConfigError(f"the setting `provider` is not known; set it to one of: {', '.join(known)}")
        return cls(
            provider=provider,
            api_key=_text(config, "api_key"),
            user_email=_text(config, "user_email"),
            access_token=_text(config, "access_token"),
            oauth=_oauth(config),
            api_url=_url(config),
            start_date=_start(config),
            requests_per_minute=_count(config, "requests_per_minute", None),
            overlap_seconds=_count(config, "overlap_seconds", 300) or 0,
            activity_lookback_days=_amount(config, "activity_lookback_days", 1.0, MOST_DAYS),
            reconcile=_reconcile(config),
            reconcile_days=_amount(config, "reconcile_days", 7.0, MOST_DAYS),
            reconcile_max_requests=_count(config, "reconcile_max_requests", None),
            max_deletions_percent=_amount(config, "max_deletions_percent", 20.0, 100),
            max_unexplained_percent=_amount(config, "max_unexplained_percent", 1.0, 100),
            date_order=_choice(config, "date_order", ("mdy", "dmy")),
            custom_fields=_choice(config, "custom_fields", ("columns", "raw", "both")),
            custom_field_names=_choice(config, "custom_field_names", ("name", "id")),
            tables=_tables(config),
            endpoints=parse_endpoints(_decoded(config, "endpoints")),
            retry_seconds=_count(config, "retry_seconds", 600) or 0,
            request_timeout_seconds=_count(config, "request_timeout_seconds", 120) or 120,
        )

    @property
    def secrets(self) -> list[str]:
        """Whatever no log line may show."""
        grown = (self.oauth.client_secret, self.oauth.refresh_token) if self.oauth else ()
        return [secret for secret in (self.api_key, self.access_token, *grown) if secret]

    @property
    def activity_lookback(self) -> int:
        """Seconds of the look-back on activities."""
        return int(self.activity_lookback_days * DAY)


def parse_moment(text: str) -> int:
    """Return the epoch seconds of an ISO 8601 date or date-time; UTC where it names no zone.

    Raises:
        ValueError: the text is none.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() // 1)


def _text(config: Mapping[str, Any], name: str, shown: str | None = None) -> str | None:
    value = config.get(name)
    if value is None or value == "":
        return None
    shown = shown or name
    if not isinstance(value, str):
        raise ConfigError(f"the setting `{shown}` must be text")
    text = value.strip()
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ConfigError(f"the setting `{shown}` holds characters that cannot be sent; copy it again")
    return text or None


def _url(config: Mapping[str, Any], name: str = "api_url", shown: str = "api_url") -> str | None:
    value = _text(config, name, shown)
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment:
        raise ConfigError(f"the setting `{shown}` must be an address that begins with https:// (or http://)")
    if parts.username or parts.password:
        raise ConfigError(f"the setting `{shown}` must not hold credentials; they have settings of their own")
    return value


def _decoded(config: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - any JSON
    """Return a setting that may come as JSON text, which is how the environment has it; None for nothing."""
    value = config.get(name)
    if not isinstance(value, str):
        return value
    if not value.strip():
        return None
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise ConfigError(f"the setting `{name}` is text, but no JSON") from None


def _oauth(config: Mapping[str, Any]) -> OAuthSettings | None:
    value = _decoded(config, "oauth")
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ConfigError(f"the setting `oauth` must be an object with {', '.join(OAUTH_NEEDED)}")
    given = {name: _text(value, name, f"oauth.{name}") for name in OAUTH_NEEDED if name != "token_file"}
    given["token_file"] = _file(value, "token_file", "oauth.token_file")
    missing = [f"`{name}`" for name in OAUTH_NEEDED if not given[name]]
    if missing:
        raise ConfigError(f"the setting `oauth` lacks {', '.join(missing)}")
    texts = {name: text for name, text in given.items() if text}
    return OAuthSettings(**texts, token_url=_url(value, "token_url", "oauth.token_url"))


def _tables(config: Mapping[str, Any]) -> tuple[PinnedTable, ...]:
    value = _decoded(config, "tables")
    if not value:
        return ()
    try:
        pins = msgspec.convert(value, tuple[PinnedTable, ...])
    except msgspec.ValidationError:
        raise ConfigError("the setting `tables` must be a list of objects with `board`, `table` and `stream`") from None
    for pin in pins:
        if not _STREAM_NAME.fullmatch(pin.stream):
            raise ConfigError(
                "the setting `tables`: a `stream` is lower-case letters, digits and underscores, at most 63 of them"
            )
    return pins


def _file(config: Mapping[str, Any], name: str, shown: str) -> str | None:
    """Return a path, which may hold whatever the file system allows."""
    value = config.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not value.isprintable():
        raise ConfigError(f"the setting `{shown}` must be a path")
    return value.strip() or None


def _reconcile(config: Mapping[str, Any]) -> str:
    """Return the setting as text; loaders and shells make booleans of it, or do not."""
    value = config.get("reconcile")
    text = "auto" if value is None or value == "" else str(value).strip().lower()
    if text not in ("auto", "true", "false"):
        raise ConfigError("the setting `reconcile` must be one of: auto, true, false")
    return text


def _start(config: Mapping[str, Any]) -> int | None:
    value = config.get("start_date")
    if value is None or value == "":
        return None
    try:
        start = parse_moment(str(value))
    except (ValueError, OverflowError):
        raise ConfigError(
            "the setting `start_date` must be an ISO 8601 date, such as 2026-01-01 or 2026-01-01T00:00:00Z"
        ) from None
    if start > time.time():
        raise ConfigError("the setting `start_date` is in the future: nothing would be read; check it, or this clock")
    return start


def _amount(config: Mapping[str, Any], name: str, default: float, most: int = MOST) -> float:
    value = config.get(name)
    if value is None or value == "":
        return default
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = -1.0
    if isinstance(value, bool) or not 0 <= number <= most:
        raise ConfigError(f"the setting `{name}` must be a number from 0 to {most}")
    return number


def _count(config: Mapping[str, Any], name: str, default: int | None) -> int | None:
    if config.get(name) in (None, ""):
        return default
    number = _amount(config, name, 0.0)
    if number != int(number):
        raise ConfigError(f"the setting `{name}` must be a whole number from 0 to {MOST}")
    return int(number)


def _choice(config: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    value = config.get(name) or allowed[0]
    if value not in allowed:
        raise ConfigError(f"the setting `{name}` must be one of: {', '.join(allowed)}")
    return str(value)
