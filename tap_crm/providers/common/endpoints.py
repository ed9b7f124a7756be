"""Streams that the account's owner declares: any list of the CRM's API, read with the same care as the others."""

from __future__ import annotations

import copy
import threading
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

import msgspec

from tap_crm import errors
from tap_crm.config.endpoints import THE_ANSWER
from tap_crm.contract.stream import EndpointRules, PagingParams, StreamSpec
from tap_crm.ledger import Ledger
from tap_crm.messages import Checkpoint, Page
from tap_crm.providers.common.per_parent import side_by_side
from tap_crm.reading.changes import BEHIND_THE_CLOCK
from tap_crm.reading.cursor import CursorReader
from tap_crm.reading.listing import Row
from tap_crm.reading.offset import OffsetReader
from tap_crm.reading.pages import read_pages
from tap_crm.reading.part import Part
from tap_crm.shaping.moments import from_epoch
from tap_crm.shaping.schema import EXTRA
from tap_crm.transport.question import Doubtful, Question

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_crm.config.endpoints import Endpoint
    from tap_crm.contract.stream import Reading
    from tap_crm.messages import Emit, Item
    from tap_crm.reading.part import Continuation
    from tap_crm.transport.question import Reply

Record: TypeAlias = dict[str, Any]
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")
#: The column that holds a record's fields where the endpoint has no schema.
RECORD = "record"
USUAL_LIST = "data"
#: Stands for the answer itself, ``data``, or the only list that the answer holds.
ANY_LIST = "*"
#: So many parents are asked for at least before a path that none of them has counts as wrong.
ENOUGH_PARENTS = 20
CAUGHT = "declared in the setting `endpoints`"


class _Unfit(Exception):  # noqa: N818 - it names the answer
    """An answer is not as the endpoint was declared."""


def declared_streams(
    endpoints: Sequence[Endpoint], rules: EndpointRules, others: Mapping[str, StreamSpec]
) -> list[tuple[StreamSpec, dict[str, Any]]]:
    """Return the streams that endpoints declare, each with its schema.

    Args:
        endpoints: checked against the names of ``others``.
        rules: of the CRM.
        others: the streams that the CRM has anyway; a parent may be among them.

    Raises:
        ConfigError: an endpoint is paged in a way for which neither it nor the CRM has names.
    """
    specs: dict[str, StreamSpec] = {}
    by_name = {endpoint.stream: endpoint for endpoint in endpoints}

    def spec_of(name: str) -> StreamSpec:
        if name not in by_name:
            return others[name]
        if name not in specs:
            endpoint = by_name[name]
            parent = spec_of(endpoint.parent.stream) if endpoint.parent is not None else None
            specs[name] = _spec(endpoint, rules, parent)
        return specs[name]

    return [(spec_of(endpoint.stream), schema_of(endpoint, rules)) for endpoint in endpoints]


def _spec(endpoint: Endpoint, rules: EndpointRules, parent: StreamSpec | None) -> StreamSpec:
    return StreamSpec(
        endpoint.stream,
        endpoint.keys,
        EndpointSource(endpoint, rules, paging_of(endpoint, rules), parent),
        replication_key=endpoint.replication_key,
        selected=endpoint.selected,
        declared=True,
        caught=CAUGHT,
    )


def schema_of(endpoint: Endpoint, rules: EndpointRules) -> dict[str, Any]:
    """Return the schema of an endpoint's stream: the user's own, or the keys and all the rest as one object."""
    if endpoint.schema is not None:
        schema = copy.deepcopy(dict(endpoint.schema))
        schema["properties"] = {**schema["properties"], EXTRA: schema["properties"].get(EXTRA, _ANY_OBJECT)}
        return schema
    named = [*endpoint.keys, *([endpoint.parent.column] if endpoint.parent is not None else [])]
    properties: dict[str, Any] = {name: {"type": [_type_of(name, rules), "null"]} for name in dict.fromkeys(named)}
    if endpoint.replication_key is not None:
        properties[endpoint.replication_key] = {"type": ["string", "null"], "format": "date-time"}
    properties[RECORD] = {**_ANY_OBJECT, "description": "All other fields of the record, as the CRM has them."}
    return {"type": "object", "properties": properties}


_ANY_OBJECT: dict[str, Any] = {"type": ["object", "null"], "properties": {}, "additionalProperties": True}


def _type_of(name: str, rules: EndpointRules) -> str:
    return "integer" if rules.whole_ids and (name == "id" or name.endswith("_id")) else "string"


def paging_of(endpoint: Endpoint, rules: EndpointRules) -> PagingParams | None:
    """Return by what an endpoint's list goes on; None for a list in one answer.

    Raises:
        ConfigError: the CRM has no names of its own for this kind, and the endpoint lacks some.
    """
    paging = endpoint.paging
    if paging.kind == "none":
        return None
    usual = rules.paging.get(f"{endpoint.method} {paging.kind}") or rules.paging.get(paging.kind)
    named = "cursor_param" if paging.kind == "cursor" else "page_param"
    given = {named: paging.param, "size_param": paging.size_param, "size": paging.size}
    if paging.kind != "page":  # without sizes, an answer itself tells where it ends
        given = {named: paging.param}
    if paging.kind == "cursor":
        given["cursor_path"] = paging.cursor_path
    lacking = [f"`{name}`" for name, value in given.items() if value is None]
    if usual is None and lacking:
        raise errors.ConfigError(
            f"the endpoint `{endpoint.stream}`: the CRM has no usual names for `paging: {paging.kind}`; add "
            f"{', '.join(lacking)}"
        )
    return PagingParams(
        paging.param or (usual.param if usual else ""),
        paging.size_param or (usual.size_param if usual else ""),
        paging.size or (usual.size if usual else None),
        paging.cursor_path or (usual.cursor_path if usual else ""),
    )


@dataclass(frozen=True, slots=True)
class EndpointSource:
    """The records of an endpoint.

    Attributes:
        params: by what its list goes on; None for a list in one answer.
        parent: the stream whose records it is asked for, one by one; None where it is one list.
    """

    endpoint: Endpoint
    rules: EndpointRules
    params: PagingParams | None = None
    parent: StreamSpec | None = None

    def read(self, reading: Reading) -> None:
        """Read the list, or the lists of all parents."""
        if self.parent is not None:
            self._read_children(reading, self.parent)
            return
        asker = _Asker(self, reading, reading.since)
        self._walk(asker, reading.emit, reading.ledger, confirm_empty=reading.lists.is_doubtful())
        if self.endpoint.replication_key is not None:
            reading.emit(Checkpoint(int(asker.began) - BEHIND_THE_CLOCK))

    def probe(self, reading: Reading) -> None:
        """Ask for the first page; of the parents, where there are any."""
        if self.parent is not None:
            self.parent.source.probe(replace(reading, spec=self.parent))
        else:
            _Asker(self, reading, None).ask({} if self.params is None else {self.params.size_param: 1})

    def _walk(self, asker: _Asker, emit: Emit, ledger: Ledger, *, confirm_empty: bool) -> None:
        kind = self.endpoint.paging.kind
        if self.params is None:
            OffsetReader(_OneAnswer(asker), emit, ledger, confirm_empty).read()
        elif kind == "skip":
            OffsetReader(_Positions(asker, self.params), emit, ledger, confirm_empty).read()
        elif kind == "cursor":
            CursorReader(_Cursors(asker, self.params), emit, ledger, confirm_empty).read()
        else:
            read_pages(_Pages(asker, self.params), emit, ledger)

    # One list for each parent

    def _read_children(self, reading: Reading, parent: StreamSpec) -> None:
        """Ask for the children of every record of the parent stream, as these come.

        Raises:
            NotThere: the path answers 404 for every parent.
        """
        above = self.endpoint.parent
        assert above is not None  # noqa: S101 - there is a parent
        found = _Found()
        own = Ledger()

        def children(value: Any) -> None:  # noqa: ANN401 - an id of any type
            asker = _Asker(self, reading, None, value, found)
            try:
                self._walk(asker, reading.emit, reading.ledger, confirm_empty=False)
            except errors.NotThere as error:
                if found.is_never_there():
                    raise errors.NotThere(
                        f"{reading.spec.name}: {self.endpoint.path} does not exist for any record of {parent.name}; "
                        "check `path` and the `field` of `parent`",
                        said=error.said,
                    ) from None

        with side_by_side(reading, children) as asking:

            def take(item: Item) -> None:
                for _ in asking.each(found.new_values(_decoded(item), above.field, parent.name)):
                    pass

            parent.source.read(
                replace(
                    reading,
                    spec=parent,
                    since=None,
                    bookmark=None,
                    emit=take,
                    ledger=own,
                    memory={},
                    fields=frozenset({*parent.keys, above.field}),
                    concludes=True,
                )
            )
        for gap in own.gaps:
            reading.ledger.gap(f"{parent.name}: {gap}")
        reading.ledger.add(requests=own.requests, pages=own.pages, unexplained=own.unexplained)


@dataclass(slots=True)
class _Found:
    """What is known by now of an endpoint's answers, over all parents."""

    is_as_declared: bool = False
    answers: int = 0
    lost: int = 0
    values: set[Any] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def is_never_there(self) -> bool:
        """Note a parent whose path does not exist; tells whether that is so for all of them, and they are many."""
        with self.lock:
            self.lost += 1
            return self.answers == 0 and self.lost >= min(ENOUGH_PARENTS, max(1, len(self.values)))

    def new_values(self, records: Sequence[Record], name: str, parent: str) -> list[Any]:
        """Return the values of a field that were not seen before.

        Raises:
            Incomplete: no record has the field.
        """
        if records and not any(name in record for record in records):
            raise errors.Incomplete(
                f"the records of {parent} have no field `{name}`, which an endpoint's `parent` names"
            )
        found = [value for record in records if isinstance(value := record.get(name), (str, int))]
        with self.lock:
            new = [value for value in dict.fromkeys(found) if value not in self.values]
            self.values.update(new)
        return new


@dataclass(slots=True)
class _Asker:
    """Asks an endpoint, and makes records of its answers.

    Attributes:
        since: epoch seconds from which changes are asked for; None for all.
        value: of the parent.
        began: the server's time when the first answer came.
    """

    source: EndpointSource
    reading: Reading
    since: int | None = None
    value: Any = None
    found: _Found = field(default_factory=_Found)
    began: float = 0.0

    @property
    def label(self) -> str:
        """For messages: the stream's name, and whose children are asked for."""
        parent = self.source.parent
        name = self.reading.spec.name
        return name if parent is None else f"{name} of a record of {parent.name}"

    def ask(self, more: Mapping[str, Any]) -> tuple[list[Record], Any, Reply]:
        """Return the records of an answer, the whole answer decoded, and as it came.

        Args:
            more: parameters beside those that were declared.

        Raises:
            Incomplete: the answer is not as the endpoint was declared.
        """
        question = self._question(more)
        found: tuple[list[Record], Any, Reply] | _Unfit = self.reading.ask(question, self._parse)
        if isinstance(found, _Unfit):
            found = self.reading.ask(question, self._parse)
        if isinstance(found, _Unfit):
            raise errors.Incomplete(f"{self.label}: {found}")
        self.began = self.began or found[2].server_time
        return found

    def _question(self, more: Mapping[str, Any]) -> Question:
        endpoint = self.source.endpoint
        params = {**self._since(), **more}
        path = endpoint.path
        if endpoint.parent is not None:
            path = path.replace(f"{{{endpoint.parent.field}}}", quote(str(self.value), safe=""))
        if self.source.rules.ends_in_slash and not path.endswith("/"):
            path += "/"
        query = {name: value if isinstance(value, int) else str(value) for name, value in endpoint.query.items()}
        if endpoint.method == "GET":
            return Question("GET", path, self.label, params={**query, **params})
        return Question("POST", path, self.label, params=query, body={**(endpoint.body or {}), **params})

    def _since(self) -> dict[str, str | int]:
        endpoint = self.source.endpoint
        if self.since is None or endpoint.since_param is None:
            return {}
        return {endpoint.since_param: self.since if endpoint.since_format == "epoch" else from_epoch(self.since)}

    def _parse(self, reply: Reply) -> tuple[list[Record], Any, Reply] | _Unfit:
        """Return what an answer holds; one that is not as declared is doubted once others were."""
        body = _DECODER.decode(reply.body)
        try:
            records = [self._shaped(record) for record in records_in(body, self.source.endpoint.records)]
        except _Unfit as unfit:
            if self.found.is_as_declared:
                raise Doubtful(str(unfit)) from None
            return unfit
        with self.found.lock:
            self.found.answers += 1
            self.found.is_as_declared = self.found.is_as_declared or bool(records)
        return records, body, reply

    def _shaped(self, record: Record) -> Record:
        """Return a record with the columns that its schema has."""
        endpoint = self.source.endpoint
        column = endpoint.parent.column if endpoint.parent is not None else None
        added = {} if column is None else {column: self.value}
        lacking = [key for key in endpoint.keys if record.get(key) is None and key not in added]
        if lacking:
            raise _Unfit(f"the records have no `{lacking[0]}`, which `keys` names; they have: {_names(record)}")
        if endpoint.schema is not None:
            return {**record, **added}
        own = [name for name in (*endpoint.keys, endpoint.replication_key) if name is not None and name in record]
        rest = {name: value for name, value in record.items() if name not in own}
        return {**{name: record[name] for name in own}, **added, RECORD: rest}

    def rows(self, records: Sequence[Record]) -> tuple[Row, ...]:
        """Return the key of each record: all of it, where none was declared."""
        keys = self.source.endpoint.keys
        if not keys:
            return tuple(Row(_ENCODER.encode(record).decode(), ()) for record in records)
        return tuple(Row(_key([record.get(name) for name in keys]), ()) for record in records)

    def total(self, body: Any, reply: Reply) -> int | None:  # noqa: ANN401 - any JSON
        """Return what the CRM counts."""
        return self.source.rules.total(reply.headers, body)


def _key(values: list[Any]) -> int | str:
    if len(values) == 1 and isinstance(values[0], (int, str)):
        return values[0]
    return _ENCODER.encode(values).decode()


def _names(record: Mapping[str, Any]) -> str:
    return ", ".join(f"`{name}`" for name in list(record)[:20]) or "no field"


def records_in(body: Any, path: str | None) -> list[Record]:  # noqa: ANN401 - any JSON
    """Return the records of an answer.

    Args:
        body: the answer, decoded.
        path: dotted; None: the answer itself where it is a list, else ``data``; a dot: the answer itself.

    Raises:
        _Unfit: there are none at this place.
    """
    if path == ANY_LIST and isinstance(body, dict):
        lists = [name for name, value in body.items() if isinstance(value, list)]
        path = lists[0] if len(lists) == 1 else None
    if path in (None, ANY_LIST):
        path = THE_ANSWER if isinstance(body, list) else USUAL_LIST
    found = body
    for name in () if path == THE_ANSWER else path.split("."):
        if not isinstance(found, dict) or name not in found:
            what = f"has: {_names(found)}" if isinstance(found, dict) else "is no object there"
            raise _Unfit(f"the answer has no `{path}`, where its `records` should be; it {what}")
        found = found[name]
    records = [found] if isinstance(found, dict) else found
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise _Unfit(f"what the answer has at `{path}` is no list of objects; `records` says where they are")
    return records


def _decoded(item: Item) -> list[Record]:
    """Return the records of a page of parents."""
    if not isinstance(item, Page):
        return []
    records: list[Record] = _DECODER.decode(item.body) if item.body is not None else list(item.records or ())
    return records if item.keep is None else [records[at] for at in item.keep]


# How a list goes on


def _sized(params: PagingParams) -> dict[str, Any]:
    return {} if params.size is None else {params.size_param: params.size}


@dataclass(frozen=True, slots=True)
class _OneAnswer:
    """A list in one answer."""

    asker: _Asker

    @property
    def label(self) -> str:
        return self.asker.label

    def ask_from(self, skip: int) -> Part:  # noqa: ARG002 - there is one answer
        records, _, reply = self.asker.ask({})
        return Part(self.asker.rows(records), _ENCODER.encode(records), None, None, len(records), reply.server_time)


@dataclass(slots=True)
class _Positions:
    """A list that is asked from a position on.

    One that tells neither its total nor whether there is more ends where an answer brings nothing new: lists in one
    answer do not heed a position.
    """

    asker: _Asker
    params: PagingParams
    _seen: set[int | str] = field(default_factory=set)
    _tells_more: bool = False

    @property
    def label(self) -> str:
        return self.asker.label

    def ask_from(self, skip: int) -> Part:
        position = {self.params.param: skip} if skip else {}
        try:
            records, body, reply = self.asker.ask({**position, **_sized(self.params)})
        except errors.Refused:
            if not skip or self._tells_more:
                raise
            return Part((), b"[]", None, None, 1, self.asker.began)  # a list in one answer knows no position
        total = self.asker.total(body, reply)
        end = skip + len(records)
        said = body.get("has_more") if isinstance(body, dict) else None
        rows = self.asker.rows(records)
        news = not self._seen.issuperset(row.key for row in rows)
        self._seen.update(row.key for row in rows)
        self._tells_more = self._tells_more or isinstance(said, bool) or total is not None
        more = said if isinstance(said, bool) else end < total if total is not None else news
        after = skip + max(1, len(records)) if more else None
        size = self.params.size or len(records)
        return Part(rows, _ENCODER.encode(records), after, total, size, reply.server_time)


@dataclass(frozen=True, slots=True)
class _Cursors:
    """A list of which each answer says where the next one begins."""

    asker: _Asker
    params: PagingParams

    @property
    def label(self) -> str:
        return self.asker.label

    def ask_after(self, cursor: Continuation | None) -> Part:
        more: dict[str, Any] = _sized(self.params)
        if cursor is not None:
            more[self.params.param] = cursor
        records, body, reply = self.asker.ask(more)
        rows, following = self.asker.rows(records), _at(body, self.params.cursor_path)
        total = self.asker.total(body, reply)
        return Part(rows, _ENCODER.encode(records), following, total, len(records), reply.server_time)


def _at(body: Any, path: str) -> Continuation | None:  # noqa: ANN401 - any JSON
    """Return the next cursor of an answer; None where there is none."""
    found = body
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, (str, int)) and found != "" and not isinstance(found, bool) else None


@dataclass(frozen=True, slots=True)
class _Pages:
    """A list with page numbers."""

    asker: _Asker
    params: PagingParams

    @property
    def label(self) -> str:
        return self.asker.label

    @property
    def page_size(self) -> int:
        return self.params.size or 1

    def ask_page(self, number: int, size: int, order: str | None) -> Part:  # noqa: ARG002 - it comes as it is
        records, body, reply = self.asker.ask({self.params.param: number, **_sized(self.params)})
        start, total = (number - 1) * size, self.asker.total(body, reply)
        more = bool(records) if total is None else start + size < total
        rows, answer = self.asker.rows(records), _ENCODER.encode(records)
        return Part(rows, answer, start + size if more else None, total, size, reply.server_time, start)
