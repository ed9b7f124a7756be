"""Reads the JSON files that a command line names: configs, catalogs and states."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_crm.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable


def read_json(path: str, option: str, *, parse_float: Callable[[str], Any] = Decimal) -> Any:  # noqa: ANN401
    """Return what a file holds.

    Args:
        path: the file; it is read once, so that it may be a pipe.
        option: the option of the command line that named it.
        parse_float: makes a number of a text such as 0.1; a ``Decimal`` loses nothing.

    Raises:
        ConfigError: the file cannot be read or is no JSON; says which file, and nothing of its content.
    """
    try:
        content = Path(path).read_bytes()
    except (OSError, ValueError) as error:  # a path with a NUL in it is a ValueError
        reason = error.strerror if isinstance(error, OSError) else "this is no path"
        raise ConfigError(f"`{option}`: {reason}: {path}") from None
    return parse_json(content, path, option, parse_float=parse_float)


def read_json_object(path: str, option: str, *, parse_float: Callable[[str], Any] = Decimal) -> dict[str, Any]:
    """Return the object that a file holds.

    Raises:
        ConfigError: the file cannot be read or holds something else.
    """
    found = read_json(path, option, parse_float=parse_float)
    if not isinstance(found, dict):
        raise ConfigError(f"`{option}`: {path} is no JSON object")
    return found


def parse_json(content: bytes, path: str, option: str, *, parse_float: Callable[[str], Any] = Decimal) -> Any:  # noqa: ANN401 - any JSON
    """Return what the bytes of a file mean: UTF-8, UTF-16 or UTF-32, as editors and shells write them.

    Raises:
        ConfigError: they are no JSON.
    """
    if not content.strip():
        raise ConfigError(f"`{option}`: {path} is empty")
    try:
        return _without_halves(json.loads(content, parse_float=parse_float), content)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
    except UnicodeError:
        where = "its characters are not UTF-8, or halves of characters"
    except RecursionError:
        where = "it is nested too deeply"
    except ValueError:  # a number of thousands of digits
        where = "it holds a number that is too long"
    raise ConfigError(f"`{option}`: {path} is no JSON object: {where}")


def _without_halves(found: Any, content: bytes) -> Any:  # noqa: ANN401 - any JSON
    """Return what was found; a UnicodeError if its texts hold halves of characters, which nobody could write out."""
    if b"\\u" in content or b"\xed" in content:  # else there are none
        json.dumps(found, ensure_ascii=False, default=str).encode()
    return found
