"""The setting ``child_tables``: arrays of records that become streams of their own."""

from __future__ import annotations

from typing import Any

import msgspec

from tap_crm.errors import ConfigError

_FORM = (
    'the setting `child_tables` must be a list of names of arrays, such as ["emails", "people.tags"], or "*" for all '
    "of them"
)


def parse_child_tables(value: Any) -> tuple[str, ...]:  # noqa: ANN401 - any JSON
    """Return the names that the setting has: of a list, of JSON text, or of text with commas.

    Raises:
        ConfigError: it is something else.
    """
    if isinstance(value, str):
        value = _listed(value.strip())
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(name, str) and name.strip() for name in value):
        raise ConfigError(_FORM)
    return tuple(dict.fromkeys(name.strip() for name in value))


def _listed(text: str) -> Any:  # noqa: ANN401 - any JSON
    """Return the list that a text stands for."""
    if text[:1] not in ("[", "{", '"'):
        return [name for name in text.split(",") if name.strip()]
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise ConfigError("the setting `child_tables` is text, but no JSON") from None
    return [found] if isinstance(found, str) else found
