"""Settings as they come, from files, variables or Meltano: read, converted to their types, unknown ones remarked on."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from dotenv import dotenv_values, find_dotenv

from tap_crm.config.json_files import read_json_object
from tap_crm.config.nearest import did_you_mean
from tap_crm.config.setting import is_empty

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: Stands among the files of `--config` for variables.
ENVIRONMENT = "ENV"
PREFIX = "TAP_CRM_"
#: Variables with the prefix that say something else than a setting; Meltano's own go on with another underscore.
NO_SETTINGS = ("LOGLEVEL", "AUDIT_DATABASE", "_")
TRUE, FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")


def from_files(paths: Iterable[str]) -> dict[str, Any]:
    """Return the settings of all files together; a later file goes before an earlier one.

    Raises:
        ConfigError: one cannot be read, or holds no object.
    """
    found: dict[str, Any] = {}
    for path in paths:
        found |= read_json_object(path, "--config", parse_float=float)
    return found


def from_environment(names: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Return the settings that variables such as ``TAP_CRM_API_KEY`` hold, as text, and remarks on unknown ones.

    The file ``.env`` of the working folder, or of a folder above it, is read, too; the environment goes before it.
    """
    given = _variables()
    settings = {PREFIX + name.upper(): name for name in names}
    no_settings = tuple(PREFIX + name for name in NO_SETTINGS)
    remarks = [
        f"the variable `{variable}` is no setting of this tap{did_you_mean(variable, settings)}"
        for variable in sorted(given.keys() - settings.keys())
        if not variable.startswith(no_settings)
    ]
    return {name: given[variable] for variable, name in settings.items() if variable in given}, remarks


def _variables() -> dict[str, str]:
    dotenv = {name: value for name, value in dotenv_values(find_dotenv(usecwd=True)).items() if value is not None}
    return {name: value for name, value in {**dotenv, **os.environ}.items() if name.startswith(PREFIX)}


def converted(config: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config with texts converted to the types of their settings, and without the empty ones.

    What cannot be converted stays as it is, for the checks to refuse.
    """
    parts = schema["properties"]
    filled = {name: value for name, value in config.items() if not is_empty(value)}
    return {
        name: _converted(value, _types(parts.get(name, {}))) if isinstance(value, str) else value
        for name, value in filled.items()
    }


def _types(part: Mapping[str, Any]) -> frozenset[str]:
    types = part.get("type", ())
    return frozenset([types] if isinstance(types, str) else types)


def _converted(text: str, types: frozenset[str]) -> Any:  # noqa: ANN401 - whatever the setting is
    stripped = text.strip()
    if types & {"array", "object"} and stripped.startswith(("[", "{")):
        return _from_json(stripped, text)
    if "string" in types:
        return text
    if "boolean" in types and stripped.lower() in (*TRUE, *FALSE):
        return stripped.lower() in TRUE
    if types & {"integer", "number"}:
        return _from_json(stripped, text)
    return text


def _from_json(stripped: str, text: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(stripped)
    except (ValueError, RecursionError):
        return text


def unknown_names(config: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Return a remark on each setting that does not exist, with the nearest one that does."""
    return [
        f"the setting `{path}` does not exist and is ignored{did_you_mean(path, known)}"
        for path, known in _unknown(config, schema, "")
    ]


def _unknown(value: Any, part: Mapping[str, Any], at: str) -> Iterator[tuple[str, list[str]]]:  # noqa: ANN401
    properties = part.get("properties") or {}  # further names in such an object have no effect
    if isinstance(value, dict) and properties and not isinstance(part.get("additionalProperties"), dict):
        known = [at + name for name in properties]
        for name, inner in value.items():
            if name in properties:
                yield from _unknown(inner, properties[name], f"{at}{name}.")
            else:
                yield f"{at}{name}", known
    elif isinstance(value, list) and isinstance(part.get("items"), dict):
        for inner in value:
            yield from _unknown(inner, part["items"], at)


def without_effect(
    config: Mapping[str, Any], schema: Mapping[str, Any], unused: Iterable[str], title: str
) -> list[str]:
    """Return a remark on each setting that this CRM does not use and that is not as it is by default."""
    parts = schema["properties"]
    return [
        f"the setting `{name}` has no effect with {title}"
        for name in sorted(unused)
        if config.get(name) is not None and config[name] != parts[name].get("default")
    ]
