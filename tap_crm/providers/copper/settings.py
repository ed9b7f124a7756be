"""The settings that only Copper has."""

from __future__ import annotations

from dataclasses import dataclass

from tap_crm.config.kinds import text
from tap_crm.config.setting import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class CopperSettings:
    """What Copper wants besides a key."""

    user_email: str | None = setting(text(), "User's e-mail", "Copper: the e-mail of the user that owns the key.")
