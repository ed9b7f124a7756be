"""The SDK's stream maps and flattening, such that every value has a column and every failure names its stream."""

from __future__ import annotations

import dataclasses
import fnmatch
import importlib.util
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import ConfigValidationError, MapExpressionError, StreamMapConfigError
from singer_sdk.mapper import PluginMapper, RemoveRecordTransform, StreamMap
from typing_extensions import override

from tap_crm.errors import ConfigError, ReadError
from tap_crm.shaping.flattening import Layout
from tap_crm.singer.sdk_settings import NULLS, parts_of

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping, Sequence

    from singer_sdk.singerlib import Catalog

FAKER_MISSING = 'it uses `fake`, for which the package faker is missing: pip install "singer-sdk[faker]"'


class FlatteningMap(StreamMap):
    """What one stream map makes of a record, flattened if that is wished.

    Args:
        inner: the map as the SDK made it, without flattening.
        stream: the name of the stream that it maps.
        options: the SDK's options of flattening; None for none.

    Raises:
        ConfigError: flattening gives two columns one name, or the key another name.
    """

    def __init__(self, inner: StreamMap, stream: str, options: Any) -> None:  # noqa: ANN401 - a private class of the SDK
        self._inner = inner
        self._stream = stream
        self._layout = Layout.of(inner.transformed_schema, options.max_level) if options is not None else None
        schema = inner.transformed_schema if self._layout is None else self._layout.schema
        keys = inner.transformed_key_properties
        try:
            super().__init__(inner.stream_alias, schema, keys, options)
        except ValueError as error:  # the SDK's words name the column
            raise ConfigError(
                f"flattening of stream `{stream}`: {error}; set `flattening_separator` or "
                "`flattening_max_key_length` to another value"
            ) from None
        before, after = schema.get("properties", {}), self.transformed_schema.get("properties", {})
        changed = [key for key in keys or () if key in before and key not in after]
        if changed:
            raise ConfigError(
                f"flattening of stream `{stream}` changes the name of its key `{changed[0]}`; set "
                "`flattening_max_key_length` higher"
            )

    @override
    def transform(self, record: dict[str, Any]) -> dict[str, Any] | None:
        """Return what is to be emitted of a record; None for nothing.

        Raises:
            ReadError: an expression of the user's cannot be applied to the record.
        """
        try:
            mapped = self._inner.transform(record)
        except Exception as error:  # noqa: BLE001 - a user's expression may raise anything
            raise ReadError(f"{self._stream}: the stream map of `{self.stream_alias}` fails: {_why(error)}") from None
        if mapped is None or self._layout is None:
            return mapped
        return self.flatten_record(self._layout.ready(mapped))

    @override
    def get_filter_result(self, record: dict[str, Any]) -> bool:
        """Tell whether the map lets a record through."""
        return self._inner.get_filter_result(record)


def _why(error: Exception) -> str:
    """Return why an expression failed, without the content of a record: errors of Python's functions may have some."""
    if not isinstance(error, MapExpressionError):
        return type(error).__name__
    cause = error.__cause__
    if "fake" in str(error) and importlib.util.find_spec("faker") is None:
        return f"{error} {FAKER_MISSING}"
    return f"{error} ({type(cause).__name__})"


class Mapper(PluginMapper):
    """The stream maps of a run.

    Args:
        plugin_config: the settings.
        logger: takes warnings.

    Raises:
        ConfigError: the settings of maps or flattening cannot be used.
    """

    def __init__(self, plugin_config: dict[str, Any], logger: logging.Logger) -> None:
        try:
            super().__init__(plugin_config=plugin_config, logger=logger)
        except (StreamMapConfigError, ConfigValidationError) as error:
            raise ConfigError(f"the setting `stream_maps`: {error}") from None
        options = self.flattening_options
        self._options = options if options.enabled and options.max_level > 0 else None
        # What the SDK's own maps make is flattened afterwards.
        self.flattening_options = dataclasses.replace(options, enabled=False)

    @override
    def register_raw_streams_from_catalog(self, catalog: Catalog) -> None:
        """Make the maps of all streams, and warn of those that are for none.

        Raises:
            ConfigError: a map cannot be used.
        """
        super().register_raw_streams_from_catalog(catalog)
        names = [entry.tap_stream_id for entry in catalog.streams]
        for wish, definition in self.stream_maps_dict.items():
            source = definition.get("__source__", wish) if isinstance(definition, dict) else wish
            if not any(fnmatch.fnmatch(name, str(source)) for name in names):
                self.logger.warning("the setting `stream_maps`: `%s` maps no stream: there is no `%s`", wish, source)

    @override
    def register_raw_stream_schema(
        self, stream_name: str, schema: dict[str, Any], key_properties: Sequence[str] | None
    ) -> None:
        """Make the maps of one stream.

        Raises:
            ConfigError: a map cannot be used.
        """
        try:
            super().register_raw_stream_schema(stream_name, schema, key_properties)
        except (MapExpressionError, StreamMapConfigError, NotImplementedError) as error:
            raise ConfigError(f"the setting `stream_maps`, stream `{stream_name}`: {error}") from None
        self._warn_of_unknown_fields(stream_name, schema)
        self.stream_maps[stream_name] = [
            one if isinstance(one, RemoveRecordTransform) else FlatteningMap(one, stream_name, self._options)
            for one in self.stream_maps[stream_name]
        ]

    def _warn_of_unknown_fields(self, stream: str, schema: Mapping[str, Any]) -> None:
        """Warn of fields that a map should take out and that the stream does not have: maybe it means another one."""
        for wish, definition in self.stream_maps_dict.items():
            source = definition.get("__source__", wish) if isinstance(definition, dict) else wish
            if stream != source:  # a pattern is for many streams, of which some have the field
                continue
            for name, rule in parts_of(definition):
                if rule in NULLS and name not in schema.get("properties", {}):
                    self.logger.warning("the setting `stream_maps`: `%s` has no field `%s` to take out", stream, name)
