"""What the state keeps of each stream: its form, read and written in this one place.

The form is fixed: what earlier versions wrote is read, and what is written they can read. What is not of this form, for
whatever reason, is as if it was not there; what others keep beside it stays as it is.

It is long because the whole form is here: each key, how it is read, and how it is written.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from tap_crm import errors
from tap_crm.config.kinds import parse_moment
from tap_crm.contract.memory import Memory
from tap_crm.messages import HintsKept, NotShown
from tap_crm.reading.changes import BEHIND_THE_CLOCK
from tap_crm.shaping.moments import from_epoch, to_epoch
from tap_crm.sync.kept_hints import parse_hints, write_hints
from tap_crm.sync.row_count import Counted
from tap_crm.sync.written import Written

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, MutableMapping, Sequence

#: A bookmark as it was given: people write it in more forms than we do.
Bookmark: TypeAlias = "str | int | float"

NO_STATE = 'the state is no Singer state; it looks like {"bookmarks": {"<stream>": {...}}}'


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A complete read that is not over; times are epoch seconds.

    Attributes:
        version: of its rows.
        started: when it began, by the server's clock.
        written_from: when it began, by this machine's clock.
        scope: what bounds the rows that it looks for; None for nothing.
        is_scope_known: False where an earlier version wrote it, which did not say.
        first: it is the first one of the stream.
        read_to: up to there its parts have read.
        rows: so many they found; None before the first checkpoint, as are the next ones.
        new: so many of them were created since the last complete read.
        again: so many of them may have been counted twice.
        others: what else there is of it.
    """

    version: int
    started: int | None = None
    written_from: int | None = None
    scope: str | None = None
    is_scope_known: bool = True
    first: bool | None = None
    read_to: int | None = None
    rows: int | None = None
    new: int | None = None
    again: int | None = None
    others: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class StreamState:
    """What the state keeps of one stream; times are epoch seconds of the server's clock.

    Attributes:
        replication_key: the field that the bookmark is of.
        bookmark: up to there everything was read, as it was given.
        account: the mark of the account.
        account_column: the column with the account's id, where rows have one.
        version: of the rows, which the target was last told to be complete.
        unfinished: a complete read that is not over.
        reconciled_at: when the last complete read began.
        untold_since: since when one is waited for, where none is known or one was in vain.
        told_to: up to there the CRM's own log of changes was heeded.
        rows: so many the last complete read found, less those that the CRM told to be gone since.
        rows_until: up to there they were created.
        total: what the CRM counted when the last complete read began.
        memory: what the source remembers of its last read.
        not_shown: the records that the CRM counts and did not show.
        lists: how many records each list of the stream had.
        empty_since: since when lists are found empty that were not.
        columns: the names of columns by the ids of their custom fields.
        column_types: of each column that the account makes and that was ever told, by its name; those of child tables
            as ``<stream>.<column>``.
        nested_values: ``text``, where objects and arrays were told as JSON text; None: with their types.
        tables: the tables that are written up to the bookmark; None: the stream's own.
        arrays: the greatest lengths of arrays that are child tables, by the property.
        left_at: when a run left it to the next one, since it had used what it may use; the first time in a row.
        journal: the journal of which the bookmark is a row, and the run of that row.
        hints: how far events were heeded, and what of them is left to do.
        schema: a digest of each SCHEMA that the target was told last.
        written: what of a list that is read whole was written last.
    """

    replication_key: str | None = None
    bookmark: Bookmark | None = None
    account: str | None = None
    account_column: str | None = None
    version: int | None = None
    unfinished: Unfinished | None = None
    reconciled_at: int | None = None
    untold_since: int | None = None
    told_to: int | None = None
    rows: int | None = None
    rows_until: int | None = None
    total: int | None = None
    memory: Memory | None = None
    not_shown: NotShown | None = None
    lists: Mapping[str, int] | None = None
    empty_since: Mapping[str, int] = field(default_factory=dict)
    columns: Mapping[str, str] | None = None
    column_types: Mapping[str, str] | None = None
    nested_values: str | None = None
    tables: tuple[str, ...] | None = None
    arrays: Mapping[str, Any] | None = None
    left_at: int | None = None
    journal: Mapping[str, Any] | None = None
    hints: HintsKept | None = None
    schema: str | None = None
    written: Written | None = None

    @classmethod
    def parse(cls, kept: Mapping[str, Any]) -> StreamState:
        """Return what a state has of a stream; what has not the form of its key counts as absent."""
        return cls(**{one.attribute: one.parse(kept.get(one.key)) for one in _KEYS})

    def write(self) -> dict[str, Any]:
        """Return what the state has of the stream."""
        held = [(one, getattr(self, one.attribute)) for one in _KEYS]
        kept = {one.key: one.write(value) for one, value in held if value is not None}
        if not self.empty_since:
            del kept[_EMPTY_SINCE]
        if self.rows is not None:
            kept[_TOTAL] = self.total  # null says that it is not known
        return kept

    def write_into(self, kept: MutableMapping[str, Any]) -> None:
        """Bring what a state has of the stream to this; keys that are not ours stay."""
        written = self.write()
        for one in _KEYS:
            if one.key not in written:
                kept.pop(one.key, None)
        kept.update(written)

    # What it says

    def bookmark_at(self, stream: str) -> int | None:
        """Return the bookmark in epoch seconds; None for none.

        Raises:
            ConfigError: it is no time.
        """
        if self.bookmark is None:
            return None
        try:
            return parse_moment(self.bookmark) if isinstance(self.bookmark, str) else int(self.bookmark)
        except (ValueError, OverflowError):
            raise errors.ConfigError(
                f"the state's bookmark of stream `{stream}` is no ISO 8601 time; mend it or remove it"
            ) from None

    @property
    def was_loaded(self) -> bool:
        """Whether an earlier run wrote rows of the stream."""
        return any(one is not None for one in (self.bookmark, self.version, self.memory, self.unfinished))

    @property
    def was_told(self) -> bool:
        """Whether an earlier run told a target of the stream's columns: it wrote rows, or read none of an account."""
        return self.was_loaded or any(one is not None for one in (self.account, self.column_types, self.reconciled_at))

    @property
    def going_on(self) -> Unfinished | None:
        """The complete read that is not over.

        One whose version was activated is over, whatever merging states brought back.
        """
        unfinished = self.unfinished
        return None if unfinished is None or unfinished.version <= (self.version or 0) else unfinished

    @property
    def counted(self) -> Counted | None:
        """What the last complete read found; None for nothing."""
        return None if self.rows is None else Counted(self.rows, self.rows_until)

    def log_heeded_to(self, bookmark: int | None) -> int | None:
        """Return up to where the CRM's own log of changes was heeded; None without a bookmark.

        What the log tells of the time before a complete read, that read has found as well.
        """
        if self.told_to is None or bookmark is None:
            return bookmark
        whole = self.reconciled_at
        return min(bookmark, self.told_to if whole is None else max(self.told_to, whole - BEHIND_THE_CLOCK))

    def tables_written(self, own: str) -> tuple[str, ...]:
        """Return the tables that are written up to the bookmark; ``own`` is the stream's."""
        return (own,) if self.tables is None else self.tables

    def tables_behind(self, own: str, tables: Sequence[str]) -> tuple[str, ...]:
        """Return those of a stream's tables that lack what lies before the bookmark.

        They did not take part in each run up to now.
        """
        written = self.tables_written(own)
        return tuple(name for name in tables if name not in written)

    def note_tables(self, own: str, tables: Collection[str]) -> None:
        """Keep which tables are written up to the bookmark."""
        self.tables = None if set(tables) == {own} else tuple(sorted(tables))

    def note_hints(self, hints: HintsKept) -> None:
        """Keep how far events were heeded; the place never goes back, unless it is one of another inbox."""
        known = self.hints
        is_other = known is not None and known.is_of_other(hints.inbox)
        self.hints = replace(hints, place=hints.place if known is None or is_other else max(hints.place, known.place))

    def forget_whole(self) -> None:
        """Forget the last complete read, and what it counted."""
        self.reconciled_at = self.rows = self.rows_until = self.total = None


# The state as a whole


def plain_state(state: object) -> object:
    """Return the state in what people have at hand: a STATE line, or what ``meltano state get`` prints.

    Raises:
        ConfigError: it is something else than a Singer state.
    """
    if state is None:
        return None
    if isinstance(state, dict) and _BOOKMARKS not in state:
        if state.get("type") == "STATE":
            state = state.get("value")
        elif "singer_state" in state:
            state = state["singer_state"]
    bookmarks_of(state)
    return state


def bookmarks_of(state: object) -> dict[str, dict[str, Any]]:
    """Return what a state has, by the names of streams.

    Raises:
        ConfigError: it has not the form of a Singer state.
    """
    bookmarks = state.get(_BOOKMARKS, None if state else {}) if isinstance(state, dict) else None
    if not isinstance(bookmarks, dict) or not all(isinstance(value, dict) for value in bookmarks.values()):
        raise errors.ConfigError(NO_STATE)
    return bookmarks


def states_of(state: object) -> dict[str, StreamState]:
    """Return what a state has of each stream.

    Raises:
        ConfigError: it has not the form of a Singer state.
    """
    return {name: StreamState.parse(kept) for name, kept in bookmarks_of(state).items()}


# What is left of this file says how each part is written


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _version(value: object) -> int | None:
    return _count(value) or None


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _nested_values(value: object) -> str | None:
    return value if value == "text" else None


def _truth(value: object) -> bool | None:
    return None if value is None else bool(value)


def _moment(epoch: int | None) -> str | None:
    return None if epoch is None else from_epoch(epoch)


def _bookmark(value: object) -> Bookmark | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else _text(value)


def _counts(value: object) -> dict[str, int] | None:
    if not isinstance(value, dict):
        return None
    return {str(name): count for name, count in value.items() if _count(count) is not None}


def _moments(value: object) -> dict[str, int]:
    held = value.items() if isinstance(value, dict) else ()
    found = {str(name): to_epoch(at) for name, at in held if isinstance(at, str)}
    return {name: at for name, at in found.items() if at is not None}


def _texts(value: object) -> dict[str, str] | None:
    if not isinstance(value, dict):
        return None
    return {str(key): name for key, name in value.items() if isinstance(name, str)}


def _names(value: object) -> tuple[str, ...] | None:
    return tuple(name for name in value if isinstance(name, str)) if isinstance(value, list) else None


def _objects(value: object) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None


def _not_shown(value: object) -> NotShown | None:
    kept = value if isinstance(value, dict) else {}
    records = _count(kept.get("records"))
    return None if records is None else NotShown(records, to_epoch(kept.get("since")))


def _write_not_shown(one: NotShown) -> dict[str, Any]:
    return _present({"records": one.records, "since": _moment(one.since)})


def _memory(value: object) -> Memory | None:
    if not isinstance(value, dict):
        return None
    known = ("rows", "counted")
    rows = value.get("rows")
    others = {key: one for key, one in value.items() if key not in known}
    return Memory(rows if isinstance(rows, dict) else None, _count(value.get("counted")), others)


def _write_memory(one: Memory) -> dict[str, Any]:
    return {**one.others, **_present({"rows": one.fingerprint, "counted": one.counted})}


def _written(value: object) -> Written | None:
    if not isinstance(value, dict):
        return None
    digest = value.get("digest")
    at = to_epoch(value.get("at"))
    return Written(digest if isinstance(digest, str) else None, _version(value.get(_VERSION)), at)


def _write_written(one: Written) -> dict[str, Any]:
    # Null says that nothing is known: whoever merges states would bring back what is only absent.
    return {"digest": one.digest, **_present({_VERSION: one.version, "at": _moment(one.at)})}


def _unfinished(value: object) -> Unfinished | None:
    kept = value if isinstance(value, dict) else {}
    version = _version(kept.get("version"))
    if version is None:
        return None
    found = {one.attribute: one.parse(kept.get(one.key)) for one in _OF_UNFINISHED}
    others = {key: one for key, one in kept.items() if key not in _KNOWN_OF_UNFINISHED}
    return Unfinished(
        version=version, scope=_text(kept.get(_SCOPE)), is_scope_known=_SCOPE in kept, others=others, **found
    )


def _write_unfinished(one: Unfinished) -> dict[str, Any]:
    scope = {_SCOPE: one.scope} if one.is_scope_known else {}
    known = {key.key: key.write(getattr(one, key.attribute)) for key in _OF_UNFINISHED}
    return {**one.others, _VERSION: one.version, **scope, **_present(known)}


def _present(kept: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in kept.items() if value is not None}


@dataclass(frozen=True, slots=True)
class _Key:
    """A key of the state.

    Attributes:
        attribute: what we call it.
        key: what the state calls it.
        parse: returns its value; None where it has none, or no sound one.
        write: returns what the state has for a value that is there.
    """

    attribute: str
    key: str
    parse: Callable[[Any], Any]
    write: Callable[[Any], Any] = lambda value: value


_BOOKMARKS, _TOTAL, _VERSION, _SCOPE = "bookmarks", "total", "version", "since"
_EMPTY_SINCE = "empty_since"
_KEYS = (
    _Key("replication_key", "replication_key", _text),
    _Key("bookmark", "replication_key_value", _bookmark),
    _Key("account", "account", _text),
    _Key("account_column", "account_column", _text),
    _Key("version", _VERSION, _version),
    _Key("unfinished", "reconcile", _unfinished, _write_unfinished),
    _Key("reconciled_at", "reconciled_at", to_epoch, _moment),
    _Key("untold_since", "untold_since", to_epoch, _moment),
    _Key("told_to", "told_to", to_epoch, _moment),
    _Key("rows", "rows", _count),
    _Key("rows_until", "rows_until", to_epoch, _moment),
    _Key("total", _TOTAL, _count),
    _Key("memory", "memory", _memory, _write_memory),
    _Key("not_shown", "unexplained", _not_shown, _write_not_shown),
    _Key("lists", "lists", _counts, dict),
    _Key("empty_since", _EMPTY_SINCE, _moments, lambda found: {name: from_epoch(at) for name, at in found.items()}),
    _Key("columns", "custom_fields", _texts, dict),
    _Key("column_types", "column_types", _texts, dict),
    _Key("nested_values", "nested_values", _nested_values),
    _Key("tables", "tables", _names, list),
    _Key("arrays", "arrays", _objects, dict),
    _Key("left_at", "left_at", to_epoch, _moment),
    _Key("journal", "journal", _objects, dict),
    _Key("hints", "inbox", parse_hints, write_hints),
    _Key("schema", "schema", _text),
    _Key("written", "written", _written, _write_written),
)
_OF_UNFINISHED = (
    _Key("started", "started", to_epoch, _moment),
    _Key("written_from", "written_from", to_epoch, _moment),
    _Key("first", "first", _truth),
    _Key("read_to", "read_to", to_epoch, _moment),
    _Key("rows", "rows", _count),
    _Key("new", "new", _count),
    _Key("again", "again", _count),
)
_KNOWN_OF_UNFINISHED = {_VERSION, _SCOPE, *(one.key for one in _OF_UNFINISHED)}
