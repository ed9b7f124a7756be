"""What the commands of the inbox need of the settings, checked before anything else happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_crm.errors import ConfigError
from tap_crm.providers.given_settings import given_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_crm.config.settings import Settings

_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxSettings:
    """The settings of an inbox.

    Attributes:
        address: a SQLite file's path, or a URL of PostgreSQL.
        token: the secret part of the receiver's address.
        signature_key: one that the inbox does not know; None if there is none.
        keep_days: how long used events are kept.
        keep_bytes: how much of each CRM's events is kept before used ones go earlier.
    """

    address: str
    token: str
    signature_key: str | None = None
    keep_days: float = 7
    keep_bytes: int = 1024 * _MEGABYTE

    @classmethod
    def of(cls, settings: Settings) -> InboxSettings:
        """Return those that the settings hold.

        Raises:
            ConfigError: one is missing.
        """
        if settings.inbox is None:
            raise ConfigError("the setting `inbox` is missing; set it to a SQLite file or a postgresql+psycopg:// URL")
        if settings.inbox_token is None:
            raise ConfigError(
                "the setting `inbox_token` is missing; set it to at least 32 random characters, such as "
                '`python -c "import secrets; print(secrets.token_urlsafe(32))"` prints'
            )
        return cls(
            address=settings.inbox,
            token=settings.inbox_token,
            signature_key=settings.inbox_signature_key,
            keep_days=settings.inbox_keep_days,
            keep_bytes=settings.inbox_keep_megabytes * _MEGABYTE,
        )


def settings_from(configs: Sequence[str]) -> tuple[Settings, InboxSettings]:
    """Return the settings that an option ``--config`` names, and besides, those of the inbox among them.

    Raises:
        ConfigError: one is missing or cannot be used.
    """
    settings = given_settings(configs)
    return settings, InboxSettings.of(settings)
