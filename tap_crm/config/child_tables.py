"""The setting ``child_tables``: arrays of records that become streams of their own."""

from __future__ import annotations

from typing import Any

from tap_crm.config.kinds import decoded, wrong

_FORM = 'must be a list of names of arrays, such as ["emails", "people.tags"], or "*" for all of them'


def parse_child_tables(value: Any, setting: str) -> tuple[str, ...]:  # noqa: ANN401 - any JSON
    """Return the names that the setting has: of a list, of JSON text, or of text with commas.

    Raises:
        ConfigError: it is something else.
    """
    if isinstance(value, str):
        value = _listed(value.strip(), setting)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(name, str) and name.strip() for name in value):
        raise wrong(setting, _FORM)
    return tuple(dict.fromkeys(name.strip() for name in value))


def _listed(text: str, setting: str) -> Any:  # noqa: ANN401 - any JSON
    """Return the list that a text stands for."""
    if text[:1] not in ("[", "{", '"'):
        return [name for name in text.split(",") if name.strip()]
    found = decoded(text, setting)
    return [found] if isinstance(found, str) else found
