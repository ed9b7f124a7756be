"""Checks of the settings that every tap of the SDK has: stream maps, flattening, batch files.

The SDK finds some faults in them only while it writes, and others never: what one setting masks, another may write in
clear.
"""

from __future__ import annotations

import ast
import importlib.util
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR

from tap_crm.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: How a map says "nothing"; Meltano cannot keep a null in `meltano.yml`.
NULLS = (None, "__NULL__")
#: What begins a word of the SDK's own within a map.
_OWN = "__"
#: Settings that change nothing without another one.
_NEEDED = {
    "flattening_max_depth": "flattening_enabled",
    "flattening_max_key_length": "flattening_enabled",
    "flattening_separator": "flattening_enabled",
    "stream_map_config": "stream_maps",
    "faker_config": "stream_maps",
}

#: Words of a JSON schema that need no library: they say nothing of a value, or something plain.
_PLAIN = frozenset({"type", "enum", "properties", "items", "default", "description", "title", "secret", "writeOnly"})
_TYPES = {
    str: frozenset({"string"}),
    bool: frozenset({"boolean"}),
    int: frozenset({"integer", "number"}),
    float: frozenset({"number"}),
    list: frozenset({"array"}),
    dict: frozenset({"object"}),
    type(None): frozenset({"null"}),
}
_OTHER_FORM = "has a form that the Singer SDK does not take; see the SDK's documentation of this setting"
_NOUNS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}


class _Encoding(msgspec.Struct, forbid_unknown_fields=True):
    format: Literal["jsonl", "parquet"]
    compression: str | None = None


class _Storage(msgspec.Struct, forbid_unknown_fields=True):
    root: str
    prefix: str | None = None
    params: dict[str, Any] | None = None


class _BatchConfig(msgspec.Struct, forbid_unknown_fields=True):
    encoding: _Encoding
    storage: _Storage
    batch_size: int | None = None


def check_sdk_settings(config: Mapping[str, Any]) -> list[str]:
    """Check what can be checked before the CRM is asked; returns what to warn of.

    Raises:
        ConfigError: a setting cannot be used, or not together with another one.
    """
    _check_maps(config.get("stream_maps"))
    if config.get("flattening_enabled") and config.get("flattening_max_depth") is None:
        raise ConfigError("the setting `flattening_enabled` needs `flattening_max_depth`: so many levels are flattened")
    if config.get("batch_config"):
        _check_batches(config)
    return [
        f"the setting `{name}` has no effect without `{needed}`"
        for name, needed in _NEEDED.items()
        if config.get(name) not in (None, {}) and not config.get(needed)
    ]


def _check_batches(config: Mapping[str, Any]) -> None:
    for other in ("stream_maps", "flattening_enabled"):
        if config.get(other):
            raise ConfigError(
                f"the settings `batch_config` and `{other}` do not work together: batch files would hold the records "
                f"as they were before `{other}`; leave one of them out"
            )
    try:
        batches = msgspec.convert(config["batch_config"], _BatchConfig)
    except msgspec.ValidationError as error:  # its words name fields and types, never a value
        raise ConfigError(
            f"the setting `batch_config`: {error}; it needs `encoding` with `format` (`jsonl` or `parquet`) and "
            "`storage` with `root`"
        ) from None
    if batches.batch_size is not None and batches.batch_size < 1:
        raise ConfigError("the setting `batch_config`: `batch_size` must be at least 1")
    if batches.encoding.format == "jsonl" and batches.encoding.compression != "gzip":
        raise ConfigError(
            "the setting `batch_config`: with the format `jsonl`, set `compression` to `gzip`; the SDK writes no others"
        )
    if batches.encoding.format == "parquet" and importlib.util.find_spec("pyarrow") is None:
        raise ConfigError(
            "the setting `batch_config`: for the format `parquet` the package pyarrow is missing: "
            'pip install "singer-sdk[parquet]"'
        )


def _check_maps(maps: Any) -> None:  # noqa: ANN401 - any JSON
    if maps in (None, ""):
        return
    if not isinstance(maps, dict):
        raise ConfigError("the setting `stream_maps` must be an object: a map by the name of each stream")
    for stream, definition in maps.items():
        if definition in NULLS:
            continue
        if not isinstance(definition, dict):
            raise ConfigError(f"the setting `stream_maps`: the map of `{stream}` must be an object, or null")
        for name, rule in [*parts_of(definition), ("__filter__", definition.get("__filter__"))]:
            if rule not in NULLS and not _is_expression(rule):
                raise ConfigError(f"the setting `stream_maps`: `{stream}.{name}` is no expression: {rule!r}")
        keys = definition.get("__key_properties__")
        if keys is not None and not (isinstance(keys, list) and all(isinstance(key, str) for key in keys)):
            raise ConfigError(f"the setting `stream_maps`: `{stream}.__key_properties__` must be a list of names")


def parts_of(definition: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - any JSON
    """Yield the fields of one map, and what each of them is to become."""
    if isinstance(definition, dict):
        yield from ((name, rule) for name, rule in definition.items() if not name.startswith(_OWN))


def _is_expression(rule: Any) -> bool:  # noqa: ANN401 - any JSON
    if not isinstance(rule, str):
        return False
    try:
        body = ast.parse(rule).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return bool(body) and isinstance(body[0], ast.Expr)


def check_by_schema(config: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    """Check the settings that only the schema knows: those of the SDK.

    Raises:
        ConfigError: names the setting and what it should be; no message holds a value, which may be a secret.
    """
    for name, part in schema["properties"].items():
        if name not in config or fits_plainly(config[name], part):
            continue
        try:
            found = [*DEFAULT_JSONSCHEMA_VALIDATOR(part).iter_errors(config[name])]
        except (AttributeError, TypeError):  # the SDK's schema of stream maps is none where `__else__` is wrong
            raise ConfigError(f"the setting `{name}` {_OTHER_FORM}") from None
        for error in found:
            where = ".".join(map(str, [name, *error.absolute_path]))
            raise ConfigError(f"the setting `{where}` {_wanted(error.validator, error.validator_value)}")


def fits_plainly(value: Any, part: Mapping[str, Any]) -> bool:  # noqa: ANN401 - any JSON
    """Tell whether a value surely fits a part of a JSON schema that has no defaults within.

    The library that knows all of JSON schema takes long to load, and most settings do not need it.
    """
    types = part.get("type", ())
    if not part.keys() <= _PLAIN or not _TYPES.get(type(value), frozenset()).intersection(
        [types] if isinstance(types, str) else types
    ):
        return False
    if "enum" in part and not (isinstance(value, str) and value in part["enum"]):
        return False
    if isinstance(value, list):
        return all(_fits_within(one, part.get("items")) for one in value)
    if isinstance(value, dict):
        properties = part.get("properties", {})
        return all(_fits_within(one, properties.get(name)) for name, one in value.items())
    return True


def _fits_within(value: Any, part: Mapping[str, Any] | None) -> bool:  # noqa: ANN401 - any JSON
    return part is None or ("default" not in part and fits_plainly(value, part))


def _wanted(rule: Any, wanted: Any) -> str:  # noqa: ANN401 - from a JSON schema
    if rule == "type":
        types = [wanted] if isinstance(wanted, str) else wanted
        return f"must be {' or '.join(_NOUNS[name] for name in types if name in _NOUNS)}"
    if rule == "enum":
        return f"must be one of: {', '.join(str(one) for one in wanted if one is not None)}"
    return _OTHER_FORM
