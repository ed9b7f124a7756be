"""The setting ``endpoints``: streams that the account's owner declares, checked before any request."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from tap_crm.config.nearest import did_you_mean
from tap_crm.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

STREAM_NAME = re.compile(r"[a-z][a-z0-9_]*")
#: Loaders cut longer names.
LONGEST_NAME = 63
METHODS = ("GET", "POST")
PAGINGS = ("none", "page", "skip", "cursor")
FORMATS = ("iso", "epoch")
#: Stands for the answer itself in ``records``: one object that is one record.
THE_ANSWER = "."
_SEGMENTS = re.compile(r"(/[A-Za-z0-9._~{}-]*)+")
_FIELD = re.compile(r"\{([A-Za-z0-9_]+)\}")
_KEYS = (
    *("stream", "path", "method", "query", "body", "records", "keys", "paging", "page_param", "size_param", "size"),
    *("cursor_param", "cursor_path", "parent", "replication_key", "since_param", "since_format", "schema", "selected"),
)
Scalar: TypeAlias = "str | int | float | bool"


@dataclass(frozen=True, slots=True)
class Parent:
    """Whose records an endpoint is asked for, one request each.

    Attributes:
        stream: the stream of the parents.
        field: of a parent's record; its value takes the place of ``{field}`` in the path.
        column: of the child's record, in which that value is kept (``as`` in the setting).
    """

    stream: str
    field: str
    column: str


@dataclass(frozen=True, slots=True)
class Paging:
    """How an endpoint's list goes on.

    Attributes:
        kind: ``none``, ``page``, ``skip`` or ``cursor``.
        param: takes the page's number, the position, or the cursor; None for the CRM's own name.
        size_param: takes the number of records of a page; None for the CRM's own name.
        size: records of a page; None for as many as the CRM gives.
        cursor_path: where an answer has the next cursor; None for the CRM's own place.
    """

    kind: str = "none"
    param: str | None = None
    size_param: str | None = None
    size: int | None = None
    cursor_path: str | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One declared stream; the attributes are those of the setting.

    Attributes:
        records: the dotted path to the records; None: the answer itself where that is a list, else ``data``.
        schema: a JSON Schema; None: the keys as columns, and the rest of a record in one column.
    """

    stream: str
    path: str
    keys: tuple[str, ...]
    method: str = "GET"
    query: Mapping[str, Scalar] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    records: str | None = None
    paging: Paging = field(default_factory=Paging)
    parent: Parent | None = None
    replication_key: str | None = None
    since_param: str | None = None
    since_format: str = "iso"
    schema: Mapping[str, Any] | None = None
    selected: bool = True

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The names in braces in the path."""
        return tuple(_FIELD.findall(self.path))


def parse_endpoints(value: Any) -> tuple[Endpoint, ...]:  # noqa: ANN401 - any JSON
    """Return the endpoints that a setting, decoded, declares.

    Raises:
        ConfigError: a declaration cannot work; names the endpoint and what is wrong with it.
    """
    if value in (None, "", []):
        return ()
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise ConfigError("the setting `endpoints` must be a list of objects, each with `stream`, `path` and `keys`")
    found = tuple(_Declaration(entry, at).endpoint() for at, entry in enumerate(value, 1))
    names = [endpoint.stream for endpoint in found]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"the setting `endpoints` declares the stream `{name}` twice")
    return found


def check_methods(endpoints: Sequence[Endpoint], reads: Callable[[str, str], bool]) -> None:
    """Check that endpoints only read; ``reads`` tells so of a method and a path.

    Raises:
        ConfigError: one may write.
    """
    for endpoint in endpoints:
        if not reads(endpoint.method, endpoint.path):
            raise ConfigError(
                f"the endpoint `{endpoint.stream}`: {endpoint.method} {endpoint.path} may write; only what reads can "
                "be a stream"
            )


def check_names(endpoints: Sequence[Endpoint], others: Collection[str]) -> None:
    """Check the names of declared streams, and of their parents, against those of all the others.

    Raises:
        ConfigError: a name is taken, or a parent is no stream.
    """
    known = {*others, *(endpoint.stream for endpoint in endpoints)}
    for endpoint in endpoints:
        if endpoint.stream in others:
            raise ConfigError(f"the setting `endpoints`: there is a stream `{endpoint.stream}` already; rename yours")
        if endpoint.parent is not None and endpoint.parent.stream not in known:
            raise ConfigError(
                f"the endpoint `{endpoint.stream}`: there is no stream `{endpoint.parent.stream}` that could be its "
                f"`parent`{did_you_mean(endpoint.parent.stream, known)}"
            )
    _check_ancestors(endpoints)


def check_path(path: str) -> bool:
    """Tell whether a path stays below the API's base: no address, no query, no step up."""
    return bool(_SEGMENTS.fullmatch(path)) and "//" not in path and not {".", ".."} & set(path.split("/"))


def _check_ancestors(endpoints: Sequence[Endpoint]) -> None:
    parents = {endpoint.stream: endpoint.parent.stream for endpoint in endpoints if endpoint.parent is not None}
    for name in parents:
        above, steps = parents.get(name), 0
        while above is not None and steps <= len(parents):
            above, steps = parents.get(above), steps + 1
        if above is not None:
            raise ConfigError(f"the endpoint `{name}` is, by way of its `parent`, a child of itself")


class _Declaration:
    """One entry of the setting; every complaint names it."""

    def __init__(self, entry: Mapping[str, Any], at: int) -> None:
        self._entry = entry
        name = entry.get("stream")
        self._shown = f"the endpoint `{name}`" if isinstance(name, str) and name else f"endpoint {at} of `endpoints`"

    def endpoint(self) -> Endpoint:
        for key in self._entry:
            if key not in _KEYS:
                raise self._error(f"`{key}` is no key of an endpoint{did_you_mean(str(key), _KEYS)}")
        found = Endpoint(
            stream=self._stream(),
            path=self._path(),
            keys=self._fields("keys"),
            method=self._choice("method", METHODS),
            query=self._query(),
            body=self._object("body"),
            records=self._text("records"),
            paging=self._paging(),
            parent=self._parent(),
            replication_key=self._text("replication_key"),
            since_param=self._text("since_param"),
            since_format=self._choice("since_format", FORMATS),
            schema=self._schema(),
            selected=self._selected(),
        )
        self._check(found)
        return found

    def _check(self, found: Endpoint) -> None:
        """Check what concerns several keys."""
        if found.body is not None and found.method == "GET":
            raise self._error('`body` needs `method: "POST"`')
        if (found.replication_key is None) != (found.since_param is None):
            raise self._error("`replication_key` and `since_param` go together")
        wanted = (found.parent.field,) if found.parent is not None else ()
        if sorted(set(found.placeholders)) != sorted(set(wanted)):
            raise self._error(
                "`path` has names in braces, and `parent` says whose field takes their place"
                if not wanted
                else f"`path` must have {{{wanted[0]}}}, and no other name in braces"
            )
        if found.parent is not None and found.replication_key is not None:
            raise self._error("an endpoint with a `parent` is read whole each run: `replication_key` has no use")
        self._check_schema(found)

    def _check_schema(self, found: Endpoint) -> None:
        needed = [*found.keys, *([found.replication_key] if found.replication_key else [])]
        needed += [found.parent.column] if found.parent is not None else []
        lacking = [name for name in needed if found.schema is not None and name not in found.schema["properties"]]
        if lacking:
            raise self._error(f"its `schema` has no property `{lacking[0]}`")

    def _error(self, what: str) -> ConfigError:
        return ConfigError(f"{self._shown}: {what}")

    def _text(self, key: str) -> str | None:
        value = self._entry.get(key)
        if value is None or value == "":
            return None
        if not isinstance(value, str) or not value.isprintable():
            raise self._error(f"`{key}` must be text")
        return value

    def _required(self, key: str) -> str:
        value = self._text(key)
        if value is None:
            raise self._error(f"`{key}` is missing")
        return value

    def _stream(self) -> str:
        name = self._required("stream")
        if not STREAM_NAME.fullmatch(name) or len(name) > LONGEST_NAME:
            raise self._error(
                f"`stream` must begin with a lower-case letter and go on with such letters, digits and _, "
                f"at most {LONGEST_NAME} of them"
            )
        return name

    def _path(self) -> str:
        path = self._required("path")
        if not check_path(path):
            raise self._error("`path` must be a path below the API's base, such as /people/{id}/activities")
        if _FIELD.sub("", path).count("{") or _FIELD.sub("", path).count("}"):
            raise self._error("`path` has braces without a name of a field between them")
        return path

    def _fields(self, key: str) -> tuple[str, ...]:
        value = self._entry.get(key)
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
            raise self._error(f'`{key}` must be a list of names of fields, such as ["id"]')
        if len(set(names)) != len(names):
            raise self._error(f"`{key}` names a field twice")
        return tuple(names)

    def _choice(self, key: str, allowed: tuple[str, ...]) -> str:
        value = self._entry.get(key)
        if value is None:
            return allowed[0]
        found = next((one for one in allowed if str(value).lower() == one.lower()), None)
        if found is None:
            raise self._error(f"`{key}` must be one of: {', '.join(allowed)}")
        return found

    def _object(self, key: str) -> Mapping[str, Any] | None:
        value = self._entry.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self._error(f"`{key}` must be an object")
        return value

    def _query(self) -> Mapping[str, Scalar]:
        query = self._object("query") or {}
        for name, value in query.items():
            if not isinstance(value, (str, int, float, bool)):
                raise self._error(f"`query`: the value of `{name}` must be text, a number, or true or false")
        # A library would write True and False, which APIs do not know.
        return {name: str(value).lower() if isinstance(value, bool) else value for name, value in query.items()}

    def _selected(self) -> bool:
        value = self._entry.get("selected", True)
        if not isinstance(value, bool):
            raise self._error("`selected` must be true or false")
        return value

    def _paging(self) -> Paging:
        kind = self._choice("paging", PAGINGS)
        of_kind = {"cursor": ("cursor_param", "cursor_path"), "page": ("page_param",), "skip": ("page_param",)}
        allowed = () if kind == "none" else ("size_param", "size", *of_kind[kind])
        for key in ("page_param", "size_param", "size", "cursor_param", "cursor_path"):
            if self._entry.get(key) is not None and key not in allowed:
                raise self._error(f"`{key}` has no use with `paging: {kind}`")
        param = self._text("cursor_param") if kind == "cursor" else self._text("page_param")
        return Paging(kind, param, self._text("size_param"), self._size(), self._text("cursor_path"))

    def _size(self) -> int | None:
        size = self._entry.get("size")
        if size is None:
            return None
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise self._error("`size` must be a whole number from 1 on")
        return size

    def _parent(self) -> Parent | None:
        value = self._object("parent")
        if value is None:
            return None
        names = [value.get(key) for key in ("stream", "field", "as")]
        texts = [name for name in names if isinstance(name, str) and name]
        if len(texts) != len(names) or len(value) != len(names):
            raise self._error("`parent` must be an object with `stream`, `field` and `as`, and nothing else")
        return Parent(*texts)

    def _schema(self) -> Mapping[str, Any] | None:
        value = self._entry.get("schema")
        if value is None:
            return None
        schema = self._schema_in(value) if isinstance(value, str) else value
        properties = schema.get("properties") if isinstance(schema, dict) else None
        if not isinstance(properties, dict) or not all(isinstance(part, dict) for part in properties.values()):
            raise self._error("`schema` must be a JSON Schema of an object, with `properties`")
        found: Mapping[str, Any] = schema
        return found

    def _schema_in(self, name: str) -> Any:  # noqa: ANN401 - any JSON
        try:
            return msgspec.json.decode(Path(name).read_bytes())
        except OSError as error:
            raise self._error(f"the schema file {name} cannot be read: {error.strerror}") from None
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise self._error(f"the schema file {name} is no JSON") from None
