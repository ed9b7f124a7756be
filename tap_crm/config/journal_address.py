"""Where the journal of ``target-crm`` is: the setting that the tap and the target have alike."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from tap_crm.config.kinds import wrong
from tap_crm.config.setting import Kind

POSTGRESQL = "postgresql+psycopg://"


def journal_address() -> Kind[str]:
    """The path of a SQLite file, or a URL of PostgreSQL, of which no log line may show anything."""
    return Kind(parse_journal_address, hides=_secrets)


def parse_journal_address(value: Any, name: str) -> str:  # noqa: ANN401 - any JSON
    """Return the address.

    Raises:
        ConfigError: it is neither a path nor a URL of PostgreSQL.
    """
    if not isinstance(value, str) or not value.isprintable():
        raise wrong(name, "must be text")
    found = value.strip()
    if "://" in found and not found.startswith(POSTGRESQL):
        raise wrong(name, f"must be a file's path, or a URL that begins with {POSTGRESQL}")
    return found


def _secrets(text: str) -> tuple[str, ...]:
    """Return what of an address is secret: nothing of a path."""
    if "://" not in text:
        return ()
    try:
        password = urlsplit(text).password
    except ValueError:
        password = None
    return (text, password, unquote(password)) if password else (text,)
