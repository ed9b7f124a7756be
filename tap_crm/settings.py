"""The config contract: what a user may set, checked before any request."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from singer_sdk import typing as th

from tap_crm.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DAY = 86_400
#: Larger amounts are mistakes, and beyond what clocks and calendars can count.
MOST, MOST_DAYS = 1_000_000, 36_500

CONFIG = th.PropertiesList(
    th.Property(
        "provider",
        th.StringType,
        required=True,
        description="Which CRM is read: `copper` (`close` and `copera` follow).",
    ),
    th.Property("api_key", th.StringType, secret=True, description="The CRM's API key."),
    th.Property("user_email", th.StringType, description="Copper: the e-mail of the user that owns the key."),
    th.Property(
        "access_token",
        th.StringType,
        secret=True,
        description="A static OAuth bearer token, instead of `api_key`.",
    ),
    th.Property(
        "api_url",
        th.StringType,
        description="Overrides the API's base URL, path prefix included (`http://127.0.0.1:9000/developer_api/v1`).",
    ),
    th.Property(
        "start_date",
        th.StringType,
        description="Earliest change to read on a first run, ISO 8601 (`2026-01-01` or `2026-01-01T00:00:00Z`). "
        "Without it, everything is read.",
    ),
    th.Property(
        "requests_per_minute",
        th.IntegerType,
        description="Overrides the CRM's documented limit, under which requests are spaced evenly; 0 switches "
        "pacing off. Lower it where other integrations use the same account.",
    ),
    th.Property(
        "overlap_seconds",
        th.IntegerType,
        default=300,
        description="How far each run re-reads before its bookmark, for records that appear late in the CRM's index.",
    ),
    th.Property(
        "activity_lookback_days",
        th.NumberType,
        default=1,
        description="How far each run re-reads activities, whose edits and late entries the API cannot filter on.",
    ),
    th.Property(
        "date_order",
        th.StringType,
        default="mdy",
        allowed_values=["mdy", "dmy"],
        description="Copper: how the account writes dates that come as text: `mdy` (1/31/2026) or `dmy` (31/1/2026).",
    ),
    th.Property(
        "retry_seconds",
        th.IntegerType,
        default=600,
        description="How long a failing request is tried again before its stream fails.",
    ),
    th.Property(
        "request_timeout_seconds",
        th.IntegerType,
        default=120,
        description="How long an answer may stay silent before the request counts as failed and is tried again.",
    ),
).to_dict()

SECRETS = ("api_key", "access_token")


@dataclass(frozen=True, slots=True)
class Settings:
    """The user's settings, checked and typed."""

    provider: str
    api_key: str | None = field(repr=False)
    user_email: str | None
    access_token: str | None = field(repr=False)
    api_url: str | None
    start_date: int | None
    requests_per_minute: int | None
    overlap_seconds: int
    activity_lookback_days: float
    date_order: str
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
            api_url=_url(config),
            start_date=_start(config),
            requests_per_minute=_count(config, "requests_per_minute", None),
            overlap_seconds=_count(config, "overlap_seconds", 300) or 0,
            activity_lookback_days=_amount(config, "activity_lookback_days", 1.0, MOST_DAYS),
            date_order=_choice(config, "date_order", ("mdy", "dmy")),
            retry_seconds=_count(config, "retry_seconds", 600) or 0,
            request_timeout_seconds=_count(config, "request_timeout_seconds", 120) or 120,
        )

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


def _text(config: Mapping[str, Any], name: str) -> str | None:
    value = config.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ConfigError(f"the setting `{name}` must be text")
    text = value.strip()
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ConfigError(f"the setting `{name}` holds characters that cannot be sent; copy it again")
    return text or None


def _url(config: Mapping[str, Any]) -> str | None:
    value = _text(config, "api_url")
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment:
        raise ConfigError("the setting `api_url` must be an address that begins with https:// (or http://)")
    if parts.username or parts.password:
        raise ConfigError("the setting `api_url` must not hold credentials; use `api_key`")
    return value


def _start(config: Mapping[str, Any]) -> int | None:
    value = config.get("start_date")
    if value is None or value == "":
        return None
    try:
        return parse_moment(str(value))
    except (ValueError, OverflowError):
        raise ConfigError(
            "the setting `start_date` must be an ISO 8601 date, such as 2026-01-01 or 2026-01-01T00:00:00Z"
        ) from None


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
