"""The settings as they come, from files, variables or Meltano, made what their declaration says."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from dotenv import dotenv_values, find_dotenv
from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR

from tap_crm.config.nearest import did_you_mean
from tap_crm.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

PREFIX = "TAP_CRM_"
#: Variables with the prefix that say something else than a setting; Meltano's own go on with another underscore.
NO_SETTINGS = ("LOGLEVEL", "AUDIT_DATABASE", "_")
TRUE, FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")

_OTHER_FORM = "has a form that the Singer SDK does not take; see the SDK's documentation of this setting"
_NOUNS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}


def from_environment(names: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Return the settings that variables such as ``TAP_CRM_API_KEY`` hold, as text, and remarks on unknown ones.

    The file ``.env`` of the working folder, or of a folder above it, is read, too; the environment goes before it.
    """
    dotenv = {name: value for name, value in dotenv_values(find_dotenv(usecwd=True)).items() if value is not None}
    given = {
        name.removeprefix(PREFIX): value for name, value in {**dotenv, **os.environ}.items() if name.startswith(PREFIX)
    }
    variables = {name.upper(): name for name in names}
    known = [PREFIX + name for name in variables]
    remarks = [
        f"the variable `{PREFIX}{name}` is no setting of this tap{did_you_mean(PREFIX + name, known)}"
        for name in sorted(given)
        if name not in variables and not name.startswith(NO_SETTINGS)
    ]
    return {variables[name]: value for name, value in given.items() if name in variables}, remarks


def converted(config: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config with texts made what their settings are declared to be, and without the empty ones.

    What cannot be made so stays as it is, for the checks to refuse.
    """
    parts = schema["properties"]
    filled = {name: value for name, value in config.items() if not _is_empty(value)}
    return {
        name: _converted(value, _types(parts.get(name, {}))) if isinstance(value, str) else value
        for name, value in filled.items()
    }


def _is_empty(value: Any) -> bool:  # noqa: ANN401
    return value is None or (isinstance(value, str) and not value.strip())


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


def check_by_schema(config: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    """Check the settings that only the schema knows: those of the SDK.

    Raises:
        ConfigError: names the setting and what it should be; no message holds a value, which may be a secret.
    """
    for name, part in schema["properties"].items():
        try:
            found = [*DEFAULT_JSONSCHEMA_VALIDATOR(part).iter_errors(config[name])] if name in config else []
        except (AttributeError, TypeError):  # the SDK's schema of stream maps is none where `__else__` is wrong
            raise ConfigError(f"the setting `{name}` {_OTHER_FORM}") from None
        for error in found:
            where = ".".join(map(str, [name, *error.absolute_path]))
            raise ConfigError(f"the setting `{where}` {_wanted(error.validator, error.validator_value)}")


def _wanted(rule: Any, wanted: Any) -> str:  # noqa: ANN401 - from a JSON schema
    if rule == "type":
        types = [wanted] if isinstance(wanted, str) else wanted
        return f"must be {' or '.join(_NOUNS[name] for name in types if name in _NOUNS)}"
    if rule == "enum":
        return f"must be one of: {', '.join(str(one) for one in wanted if one is not None)}"
    return _OTHER_FORM


def secret_texts(config: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """Return every text in the settings of these names, whatever form they have."""
    return [text for name in names for text in _texts(config.get(name))]


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _texts(part)
    elif value is not None and not isinstance(value, bool):
        yield str(value).strip()


def unknown_names(config: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Return a remark on each setting that does not exist, with the nearest one that does."""
    return [
        f"the setting `{path}` does not exist and is ignored{did_you_mean(path, known)}"
        for path, known in _unknown(config, schema, "")
    ]


def _unknown(value: Any, part: Mapping[str, Any], at: str) -> Iterator[tuple[str, list[str]]]:  # noqa: ANN401
    properties = part.get("properties") or {}  # what else is in such an object is used by nobody
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
