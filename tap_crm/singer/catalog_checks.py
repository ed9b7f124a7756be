"""Checks of a catalog: its form before anything reads it, and how it fits the streams that there are."""

from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib import Schema
from singer_sdk.singerlib.catalog import Metadata

from tap_crm.errors import ConfigError
from tap_crm.shaping.free_objects import Texts, declared_as_text, is_free, is_nested
from tap_crm.shaping.retyped import renamed
from tap_crm.shaping.schema import is_free_form, json_types

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from singer_sdk.singerlib import CatalogEntry

FORM = 'the catalog has another form than {"streams": [{"tap_stream_id": ..., "schema": ..., "metadata": ...}]}'
KEY_LISTS = ("table-key-properties", "view-key-properties", "valid-replication-keys")
KEY_NAMES = ("replication-key", "forced-replication-method", "inclusion", "schema-name")
#: How deep a schema may be; those of records are far flatter.
DEEPEST = 64
AGAIN = "run discovery again, or mend the catalog (with Meltano: the extractor's `schema` and `metadata`)"


def check_form(catalog: Any) -> None:  # noqa: ANN401 - any JSON
    """Check that a catalog is one.

    Raises:
        ConfigError: it is none, or a stream's entry lacks what is needed.
    """
    streams = catalog.get("streams") if isinstance(catalog, dict) else None
    if not isinstance(streams, list):
        raise ConfigError(f"{FORM}; {AGAIN}")
    for entry in streams:
        name = entry.get("tap_stream_id") if isinstance(entry, dict) else None
        if not isinstance(name, str) or not name:
            raise ConfigError(f"{FORM}: an entry has no `tap_stream_id`; {AGAIN}")
        _check_metadata(name, entry.get("metadata", []))
        stream = entry.get("stream")
        if stream not in (None, name):
            raise ConfigError(
                f"the catalog calls the stream `{name}` by another name in `stream`; give both the same, and set "
                "`__alias__` in `stream_maps` for another name in the target"
            )
        if not isinstance(entry.get("schema", {}), dict):
            raise ConfigError(f"the catalog's schema of stream `{name}` is no object; {AGAIN}")
        if not _is_schema(entry.get("schema", {})):
            raise ConfigError(f"the catalog's schema of stream `{name}` is no JSON schema; {AGAIN}")
        _check_keys(name, entry)


def _is_schema(part: Any, depth: int = 0) -> bool:  # noqa: ANN401 - any JSON
    """Tell whether the parts of a schema that are read here, and by the SDK, have the forms of a JSON schema."""
    if not isinstance(part, dict) or depth > DEEPEST:
        return False
    types, properties = part.get("type"), part.get("properties")
    if not isinstance(types, (str, NoneType)) and not _are_texts(types):
        return False
    if not isinstance(part.get("format"), (str, NoneType)):
        return False
    if properties is not None and not isinstance(properties, dict):
        return False
    inner = [*(properties or {}).values(), *([part["items"]] if part.get("items") is not None else [])]
    return all(_is_schema(one, depth + 1) for one in inner)


def _check_keys(name: str, entry: dict[str, Any]) -> None:
    """Check the forms of what an entry and its metadata say of the stream's keys."""
    root = _root(entry)
    lists = [entry.get("key_properties"), *(root.get(one) for one in KEY_LISTS)]
    named = [entry.get("replication_key"), entry.get("replication_method"), *(root.get(one) for one in KEY_NAMES)]
    if all(one is None or _are_texts(one) for one in lists) and all(isinstance(one, (str, NoneType)) for one in named):
        return
    raise ConfigError(f"the catalog's keys of stream `{name}` are no names of fields; {AGAIN}")


def _are_texts(value: Any) -> bool:  # noqa: ANN401 - any JSON
    # A catalog that never was a file has tuples, as the SDK makes them.
    return isinstance(value, (list, tuple)) and all(isinstance(one, str) for one in value)


def _check_metadata(name: str, metadata: Any) -> None:  # noqa: ANN401 - any JSON
    fits = isinstance(metadata, list) and all(
        isinstance(part, dict) and _are_texts(part.get("breadcrumb")) and isinstance(part.get("metadata"), dict)
        for part in metadata
    )
    if not fits:
        raise ConfigError(
            f"the catalog's metadata of stream `{name}` is no list of objects with `breadcrumb` and `metadata`; {AGAIN}"
        )


def without_idle(catalog: dict[str, Any], *, fields: bool) -> dict[str, Any]:
    """Return a catalog in which a stream that is not read has no more than its keys: the rest takes long to read.

    A stream that is read for a child table is kept.

    Args:
        catalog: as it was given, of the right form.
        fields: whether the metadata of all fields is kept.
    """
    roots = {entry["tap_stream_id"]: _root(entry) for entry in catalog["streams"]}
    idle = {name: root for name, root in roots.items() if _is_idle(root)}
    read = [entry["tap_stream_id"] for entry in catalog["streams"] if entry["tap_stream_id"] not in idle]
    kept = []
    for entry in catalog["streams"]:
        name = entry["tap_stream_id"]
        if name in idle and not any(one.startswith(f"{name}__") for one in read):
            given = entry.get("schema", {}).get("properties")
            properties = given if isinstance(given, dict) else {}
            keys = {one: properties[one] for one in _keys(entry, idle[name]) if one in properties}
            entry = {**entry, "schema": {"type": "object", "properties": keys}}  # noqa: PLW2901 - a part of it
            if not fields:
                entry["metadata"] = [part for part in entry.get("metadata", []) if not part["breadcrumb"]]
        kept.append(entry)
    return {**catalog, "streams": kept}


def _root(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a catalog says of a stream as a whole."""
    found: list[dict[str, Any]] = [part["metadata"] for part in entry.get("metadata", []) if not part["breadcrumb"]]
    return found[-1] if found else {}


def _is_idle(root: Mapping[str, Any]) -> bool:
    return root.get("selected") is False and root.get("inclusion") != "automatic"


def _keys(entry: Mapping[str, Any], root: Mapping[str, Any]) -> list[str]:
    """Return the names of the keys of a stream, wherever a catalog has them."""
    lists = [
        entry.get("key_properties"),
        *(root.get(name) for name in KEY_LISTS),
        [entry.get("replication_key"), root.get("replication-key")],
    ]
    names = [name for names in lists if isinstance(names, list) for name in names if isinstance(name, str)]
    return list(dict.fromkeys(names))


def check_entry(
    entry: CatalogEntry, keys: Sequence[str], replication_key: str | None, own: Mapping[str, Any] | None
) -> None:
    """Check that the entry of a selected stream is one that records can fit.

    Args:
        entry: the catalog's.
        keys: the stream's own primary key.
        replication_key: the stream's own.
        own: the properties of its own schema whose types are fixed; None where the account makes them.

    Raises:
        ConfigError: it lacks a key, or a field has a type that not every value can be converted to.
    """
    name, root = entry.tap_stream_id, entry.metadata.root
    known: dict[str, Any] = entry.schema.to_dict().get("properties") or {}
    given = entry.key_properties or root.table_key_properties or ()
    if set(given) != set(keys):
        raise ConfigError(f"the catalog's `key_properties` of stream `{name}` are not {', '.join(keys)}; {AGAIN}")
    method = entry.replication_method or root.forced_replication_method
    asked = entry.replication_key or root.replication_key
    if asked not in (None, replication_key) or (asked is None and method == "INCREMENTAL"):
        wanted = f"`{replication_key}`" if replication_key else "none"
        raise ConfigError(f"the catalog's replication key of stream `{name}` must be {wanted}; {AGAIN}")
    for needed in (*keys, *([asked] if asked else [])):
        if needed not in known:
            raise ConfigError(f"the catalog's schema of stream `{name}` lacks the key `{needed}`; {AGAIN}")
    for field, told in known.items() if own is not None else ():
        if own is not None and field in own and not is_exact(own[field], told):
            raise ConfigError(
                f"the catalog gives `{name}.{field}` a type to which not every value can be converted exactly; {AGAIN}"
            )


def is_exact(own: Mapping[str, Any], told: Mapping[str, Any], *, within: bool = False) -> bool:
    """Tell whether every value of a schema has a form in another one, without a loss.

    Any value has one as text, but only at the top of a record is it made.
    """
    types, wanted = json_types(dict(own)), json_types(dict(told))
    if is_free_form(dict(told)) or (is_text(told) and (not within or types == {"string"})):
        return True
    if is_free_form(dict(own)) or told.get("format") != own.get("format"):
        return types == wanted and told.get("format") == own.get("format")
    if types == wanted == {"object"}:
        ours, theirs = own.get("properties") or {}, told.get("properties") or {}
        return all(name not in ours or is_exact(ours[name], part, within=True) for name, part in theirs.items())
    if types == wanted == {"array"}:
        return is_exact(own.get("items") or {}, told.get("items") or {}, within=True)
    return types <= wanted or (types == {"integer"} and wanted == {"number"})


def allow_nulls(entry: CatalogEntry, keys: Sequence[str]) -> None:
    """Let every field but the keys be null, as in each stream of ours, whatever the catalog says; select the keys."""
    for name, part in (entry.schema.properties or {}).items():
        types = [part.type] if isinstance(part.type, str) else list(part.type or ())
        if types and "null" not in types and name not in keys:
            part.type = [*types, "null"]
    for key in keys:
        entry.metadata["properties", key].inclusion = Metadata.InclusionType.AUTOMATIC


def rename_fields(entry: CatalogEntry, names: Mapping[str, str]) -> None:
    """Give fields other names, in the schema and in what is selected; ``names`` has those that change."""
    if not names:
        return
    entry.schema.properties = renamed(entry.schema.properties or {}, names)
    for breadcrumb in [one for one in entry.metadata if one[1:2] and one[1] in names]:
        entry.metadata[(breadcrumb[0], names[breadcrumb[1]], *breadcrumb[2:])] = entry.metadata.pop(breadcrumb)


def declare_texts(entry: CatalogEntry, texts: Texts) -> None:
    """Declare fields that are written as JSON text so; what is selected within them stays so."""
    properties = entry.schema.properties or {}
    for name, part in properties.items() if texts is not Texts.NONE else ():
        if texts.takes(found := part.to_dict()):
            properties[name] = Schema.from_dict(declared_as_text(found))


def restore_texts(entry: CatalogEntry, own: Mapping[str, Any], texts: Texts, *, free: bool) -> None:
    """Declare fields as they are that are JSON text only in the catalog: it was made without the run's state.

    Args:
        entry: the catalog's.
        own: the properties of the stream's own schema.
        texts: which are written as JSON text.
        free: also those whose parts are not declared; else a catalog may have them as text for a reason of its own.
    """
    properties = entry.schema.properties or {}
    for name, part in properties.items():
        mine = own.get(name)
        if mine is None or texts.takes(mine) or (is_free(mine) and not free):
            continue
        if is_nested(mine) and part.to_dict() == declared_as_text(mine):
            properties[name] = Schema.from_dict(dict(mine))


def texts_of(own: Mapping[str, Any], told: Mapping[str, Any]) -> frozenset[str]:
    """Return the fields whose values the catalog wants as text, and that are none."""
    return frozenset(
        name for name, part in own.items() if name in told and is_text(told[name]) and json_types(part) != {"string"}
    )


def is_text(schema: Mapping[str, Any]) -> bool:
    """Tell whether a schema is that of any text: each value has a form as text."""
    return json_types(dict(schema)) == {"string"} and schema.get("format") is None


def fields_of(entry: CatalogEntry) -> list[str]:
    """Return the fields of a stream, those within others as ``address.city``."""
    return [
        ".".join(part for part in breadcrumb if part not in ("properties", "items"))
        for breadcrumb in entry.metadata
        if breadcrumb
    ]
