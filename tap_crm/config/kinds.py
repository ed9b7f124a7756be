"""The kinds of settings: what a value of each must be, and the message where it is not."""

from __future__ import annotations

import ipaddress
import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urlsplit

import msgspec

from tap_crm.config.setting import Kind, parsed, rows_of
from tap_crm.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

POSTGRESQL = "postgresql+psycopg://"
#: Characters of a token's text that stand in a URL's path as they are.
_TOKEN = re.compile(r"[A-Za-z0-9._~+=-]+")
SHORTEST_TOKEN = 32
#: Names that every loader takes as they are: PostgreSQL cuts longer ones, and changes others or has to quote them.
_COLUMN = re.compile(r"[a-z_][a-z0-9_]{0,62}")
#: How the names of columns begin that loaders add.
_LOADERS = "_sdc_"
#: Larger amounts are mistakes, and beyond what clocks and calendars can count.
MOST, MOST_DAYS = 1_000_000, 36_500
_ADDRESS = "must be an address that begins with https:// (or http://)"


def wrong(name: str, what: str) -> ConfigError:
    """Return the error that a setting is not as it must be."""
    return ConfigError(f"the setting `{name}` {what}")


def text() -> Kind[str]:
    """Text that can be sent in a header: ASCII without blanks; blanks around it are cut."""
    return Kind(_text)


def url() -> Kind[str]:
    """An address, without credentials and query; of https, unless it is in the same network."""
    return Kind(_url)


def path() -> Kind[str]:
    """A path, which may hold whatever the file system allows."""
    return Kind(_path)


def database() -> Kind[str]:
    """A SQLite file's path, or a URL of PostgreSQL, which may hold a password."""
    return Kind(_database, hidden=_hidden_of_address)


def token() -> Kind[str]:
    """A secret that stands in an address: long, and of characters that a path holds as they are."""
    return Kind(_token)


def column() -> Kind[str]:
    """The name of a column that the tap adds."""
    return Kind(_column)


def moment() -> Kind[int]:
    """An ISO 8601 date or date-time in the past, as epoch seconds."""
    return Kind(_past_moment, meltano="date_iso8601")


def amount(most: int = MOST, *, is_zero_nothing: bool = False) -> Kind[float]:
    """A number from 0 to the most; 0 may mean the default."""
    return Kind(lambda value, name: _amount(value, name, most) or (None if is_zero_nothing else 0.0), ("number",))


def count(*, is_zero_nothing: bool = False) -> Kind[int]:
    """A whole number from 0 on; 0 may mean the default."""
    return Kind(lambda value, name: _count(value, name) or (None if is_zero_nothing else 0), ("integer",))


def choice(*allowed: str) -> Kind[str]:
    """One of some words."""

    def parse(value: Any, name: str) -> str | None:  # noqa: ANN401 - any JSON
        if not value:
            return None
        if value not in allowed:
            raise wrong(name, f"must be one of: {', '.join(allowed)}")
        return str(value)

    return Kind(parse, form={"enum": list(allowed)})


def switch(*words: str) -> Kind[str]:
    """``true``, ``false`` or another word, as text; loaders and shells make booleans of it, or do not."""
    allowed = (*words, "true", "false")

    def parse(value: Any, name: str) -> str:  # noqa: ANN401 - any JSON
        found = str(value).strip().lower()
        if found not in allowed:
            raise wrong(name, f"must be one of: {', '.join(allowed)}")
        return found

    return Kind(parse, ("string", "boolean"))


def truth() -> Kind[bool]:
    """``true`` or ``false``."""

    def parse(value: Any, name: str) -> bool:  # noqa: ANN401 - any JSON
        if not isinstance(value, bool):
            raise wrong(name, "must be true or false")
        return value

    return Kind(parse, ("boolean",))


def group(make: Callable[..., T]) -> Kind[T]:
    """An object, or its JSON text: the settings that a dataclass declares."""
    declared: Any = make
    rows = rows_of(declared)
    needed = [row.name for row in rows if row.required]

    def parse(value: Any, name: str) -> T | None:  # noqa: ANN401 - any JSON
        value = decoded(value, name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise wrong(name, f"must be an object with {', '.join(needed)}")
        found = parsed(declared, value, f"{name}.")
        missing = [f"`{one}`" for one in needed if one not in found]
        if missing:
            raise wrong(name, f"lacks {', '.join(missing)}")
        return make(**found)

    parts = {row.name: {"type": [*row.kind.types, "null"]} for row in rows}
    shown = frozenset(row.name for row in rows if not row.secret)
    return Kind(parse, ("object", "string"), {"properties": parts}, meltano="object", shown=shown)


def decoded(value: Any, name: str) -> Any:  # noqa: ANN401 - any JSON
    """Return a value that may come as JSON text, which is how the environment has it.

    Raises:
        ConfigError: the text is no JSON.
    """
    if not isinstance(value, str):
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise wrong(name, "is text, but no JSON") from None


def parse_moment(text: str) -> int:
    """Return the epoch seconds of an ISO 8601 date or date-time; UTC where it names no zone.

    Raises:
        ValueError: the text is none.
    """
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    return int(found.timestamp() // 1)


def _text(value: Any, name: str) -> str:  # noqa: ANN401 - any JSON
    if not isinstance(value, str):
        raise wrong(name, "must be text")
    found = value.strip()
    if not (found.isascii() and found.isprintable()) or " " in found:
        raise wrong(name, "holds characters that cannot be sent; copy it again")
    return found


def _url(value: Any, name: str) -> str:  # noqa: ANN401 - any JSON
    found = _text(value, name)
    try:
        parts = urlsplit(found)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        raise wrong(name, _ADDRESS) from None
    if not usable or parts.query or parts.fragment:
        raise wrong(name, _ADDRESS)
    if parts.username or parts.password:
        raise wrong(name, "must not hold credentials; they have settings of their own")
    if parts.scheme == "http" and not is_near(parts.hostname or ""):
        raise wrong(name, "must begin with https://: by http:// anybody on the way reads the credentials")
    return found


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def is_near(host: str) -> bool:
    """Tell whether a host is this machine, or one of a private network: an address of one, or a name without a dot."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.lower().endswith((".localhost", ".local", ".internal"))
    return address.is_loopback or address.is_private or address.is_link_local


def _path(value: Any, name: str) -> str:  # noqa: ANN401 - any JSON
    if not isinstance(value, str) or not value.isprintable():
        raise wrong(name, "must be a path")
    return value.strip()


def _database(value: Any, name: str) -> str:  # noqa: ANN401 - any JSON
    found = _path(value, name)
    if "://" in found and not found.startswith(POSTGRESQL):
        raise wrong(name, f"must be a file's path, or a URL that begins with {POSTGRESQL}")
    return found


def _hidden_of_address(address: str) -> tuple[str, ...]:
    """Return the address and its password; nothing of a file's path, which may be a usual word."""
    if not address.startswith(POSTGRESQL):
        return ()
    try:
        password = urlsplit(address).password
    except ValueError:
        password = None
    return (address, *({password, unquote(password)} if password else ()))


def _token(value: Any, name: str) -> str:  # noqa: ANN401 - any JSON
    found = _text(value, name)
    if len(found) < SHORTEST_TOKEN or not _TOKEN.fullmatch(found):
        raise wrong(name, f"must be at least {SHORTEST_TOKEN} letters, digits, `-` and `_` that nobody can guess")
    return found


def _column(value: Any, name: str) -> str:  # noqa: ANN401 - any JSON
    found = _text(value, name)
    if not _COLUMN.fullmatch(found) or found.startswith(_LOADERS):
        raise wrong(name, "must be at most 63 small letters, digits and `_`, such as `_account`")
    return found


def _past_moment(value: Any, name: str) -> int:  # noqa: ANN401 - any JSON
    try:
        found = parse_moment(str(value))
    except (ValueError, OverflowError):
        raise wrong(name, "must be an ISO 8601 date, such as 2026-01-01 or 2026-01-01T00:00:00Z") from None
    if found > time.time():
        raise wrong(name, "is in the future: nothing would be read; check it, or this clock")
    return found


def _amount(value: Any, name: str, most: int) -> float:  # noqa: ANN401 - any JSON
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = -1.0
    if isinstance(value, bool) or not 0 <= number <= most:
        raise wrong(name, f"must be a number from 0 to {most}")
    return number


def _count(value: Any, name: str) -> int:  # noqa: ANN401 - any JSON
    number = _amount(value, name, MOST)
    if number != int(number):
        raise wrong(name, f"must be a whole number from 0 to {MOST}")
    return int(number)
