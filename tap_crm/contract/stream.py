"""What a stream and a provider are, said as data."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from tap_crm.contract.memory import Memory
from tap_crm.messages import Page
from tap_crm.reading.emptiness import Lists
from tap_crm.transport.pacing.pacing import one_group

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from importlib.resources.abc import Traversable

    from requests.auth import AuthBase

    from tap_crm.config.settings import AccountSettings, Settings
    from tap_crm.contract.events import EventRules
    from tap_crm.contract.hints import HintRules, Key
    from tap_crm.contract.once_per_run import OncePerRun
    from tap_crm.errors import FinalWord
    from tap_crm.ledger import Ledger
    from tap_crm.messages import Emit
    from tap_crm.shaping.custom.fields import CustomField
    from tap_crm.shaping.custom.layouts import Layout
    from tap_crm.transport.pacing.rolling import ExtraLimit
    from tap_crm.transport.question import Question, Reply
    from tap_crm.transport.session import Transport


T = TypeVar("T")

#: The stream that tells of a run itself.
AUDIT = "sync_audit"
#: The stream of what ``target-crm`` has written, from its journal.
WRITES = "writes"


@dataclass(frozen=True, slots=True)
class Reading:
    """What one read of one stream is given.

    Attributes:
        spec: the stream.
        transport: the way to the CRM.
        settings: the user's settings.
        since: epoch seconds from which changes are wanted, overlap and look-back included; None for all.
        bookmark: epoch seconds up to which an earlier run read everything; None on a first run.
        lists: what is known of the lists that the stream is read from: which empty answer is doubted.
        emit: takes pages and checkpoints; may be called from several threads.
        ledger: counts requests, pages and records.
        lanes: how many spans of time may be walked at once.
        once_per_run: what the streams of this run read once and use together.
        told_to: epoch seconds up to which an earlier run heeded the CRM's own log of changes: the bookmark, or before
            it if the log could not be read then; None on a first run.
        selected: the streams that this run reads, each with its ``told_to``.
        fields: the properties that are emitted.
        told_names: by stream, the names that the target is told, by those that sources know; only those that differ.
        memory: what the last complete read kept for the next one; what this one leaves in it is kept if it succeeds.
        rewrites: everything is to be written as a new version, whatever the source remembers: the target may hold rows
            of a run whose state was lost.
        concludes: what this read does not find counts as gone.
        by: the time that ``since`` and checkpoints are of, if not the replication key.
        in_steps: the read may be cut off at any checkpoint, so these should come often.
    """

    spec: StreamSpec
    transport: Transport
    settings: Settings
    since: int | None
    emit: Emit
    ledger: Ledger
    lanes: int
    once_per_run: OncePerRun
    bookmark: int | None = None
    lists: Lists = field(default_factory=Lists)
    told_to: int | None = None
    selected: tuple[tuple[StreamSpec, int | None], ...] = ()
    fields: frozenset[str] = frozenset()
    told_names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)
    rewrites: bool = False
    concludes: bool = False
    by: str | None = None
    in_steps: bool = False

    def ask(self, question: Question, parse: Callable[[Reply], T]) -> T:
        """Ask the CRM on behalf of this stream; returns what ``parse`` makes of the answer, and raises what it raises.

        See :meth:`~tap_crm.transport.session.Transport.ask`.
        """
        return self.transport.ask(question, parse, self.ledger)

    def emit_records(self, records: Sequence[dict[str, Any]]) -> None:
        """Emit decoded records, and book how many different ones they are."""
        self.ledger.add(distinct=len({tuple(record.get(key) for key in self.spec.primary_key) for record in records}))
        if records:
            self.emit(Page(records=records))


class Source(Protocol):
    """Where a stream's records come from and how they are read completely."""

    def read(self, reading: Reading) -> None:
        """Emit all records wanted, and checkpoints; raise a ``ReadError`` if that is not possible."""

    def probe(self, reading: Reading) -> None:
        """Ask one cheap question that shows whether the key may read the stream at all."""


@dataclass(frozen=True, slots=True)
class Identity:
    """How it is found out which account the credentials open.

    Attributes:
        stream: the stream that reads the same answer: where it is selected, no further request is sent.
        ask: returns the CRM's ids of the accounts that the credentials may stand for: mostly one, none if it does not
            tell; raises a ``ReadError`` if the credentials may not ask.
    """

    stream: str
    ask: Callable[[Reading], Sequence[str]]


class Deletions(Enum):
    """How it is found out which rows of a stream are gone."""

    EACH_RUN = "every run reads the stream completely"
    RECONCILED = "the stream is read completely now and then, beside its bookmark"
    BY_ITSELF = "the source remembers what there was, and begins a version when something is gone"
    UNTOLD = "rows never leave the target"


@dataclass(frozen=True, slots=True)
class CustomFields:
    """The custom fields of a stream.

    Attributes:
        layout: where its records have the values.
        definitions: reads which there are; what several streams need is asked once per run. With them comes the
            refusal of a part of them, if there was one.
    """

    layout: Layout
    definitions: Callable[[Reading], tuple[Sequence[CustomField], FinalWord | None]]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What is known of some records whose own addresses deny them.

    Attributes:
        page: those that are there all the same.
        doubtful: those of which that cannot be told yet.
    """

    page: Page
    doubtful: frozenset[Key] = frozenset()


@dataclass(frozen=True, slots=True)
class ById:
    """How single records of a stream are read by their ids, from where the CRM keeps them.

    Attributes:
        one: returns a page of the record, or of what the CRM says of a deleted one, with the time of that; raises the
            CRM's refusals.
        is_missing: tells of the CRM's own words on a 404 whether they mean that there is no such record. What a proxy
            says, or nothing at all, does not.
        some: returns a page of those of some records that the CRM shows, which may be late; None if it does not heed
            ids.
        at_once: how many ``some`` takes.
        page_size: records of a page of the whole stream: tells what a complete read costs.
        elsewhere: tells which of some records, at most ``at_once``, are there although their own addresses deny them;
            None where nothing can be told. Absent, what is denied is gone.
        last_content: returns what a deleted record last was, by the body of the event that told of its deletion; None
            if that does not say it. A deletion without content is not written then, since nulls would replace what
            the target has. Where no event has content, the key and the time of the deletion are all there is.
    """

    one: Callable[[Reading, Key], Page]
    is_missing: Callable[[str], bool]
    some: Callable[[Reading, Sequence[Key]], Page | None] | None = None
    at_once: int = 1
    page_size: int = 100
    elsewhere: Callable[[Reading, Sequence[Key]], Elsewhere | None] | None = None
    last_content: Callable[[bytes, Key], dict[str, Any] | None] | None = None


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """One stream.

    Attributes:
        name: the CRM's own noun, snake_case plural.
        primary_key: its fields.
        source: where its records come from.
        replication_key: the time by which it is read incrementally; None for a full read each run.
        lookback: seconds that each run re-reads before its bookmark because the CRM cannot tell late changes.
        selected: False for streams that cost a request per record.
        masked: fields that hold secrets of the CRM; their values are never emitted.
        masked_parts: fields that hold a secret within a text, and the pattern of it; the rest is emitted.
        custom: the custom fields of its records, where it has some.
        envelope: fields that the CRM adds to its answers and that say nothing of the record.
        created: the field with the time of creation, which never changes.
        changed: the field with the time of the last change; None where records have none.
        reconciled_by: the time along which a reconcile goes, if not the replication key.
        told_for: seconds for which the CRM tells of deletions; after a longer pause a reconcile is due.
        is_log: the CRM forgets old rows, the target should not.
        versioned: the source itself says when a new version of all rows begins.
        declared: a user asked for the stream in so many words: it is never left out, it fails.
        by_id: how single records are read, of which events tell; None where that is not possible, or not worth it.
        caught: for the README: what arrives by the next run, and what does not.
    """

    name: str
    primary_key: tuple[str, ...]
    source: Source
    replication_key: str | None = None
    lookback: Callable[[Settings], int] | None = None
    selected: bool = True
    masked: frozenset[str] = frozenset()
    masked_parts: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    custom: CustomFields | None = None
    envelope: frozenset[str] = frozenset()
    created: str | None = None
    changed: str | None = None
    reconciled_by: str | None = None
    told_for: int | None = None
    is_log: bool = False
    versioned: bool = False
    declared: bool = False
    by_id: ById | None = None
    caught: str = "new, changed and deleted rows by each run, which reads the stream completely"

    @property
    def path(self) -> str:
        """The path of most of its requests, as far as its source tells it; it may lack its end."""
        return str(getattr(self.source, "path", ""))


@dataclass(frozen=True, slots=True)
class PagingParams:
    """How a CRM calls what its lists go on by.

    Attributes:
        param: takes the page's number, the position, or the cursor.
        size_param: takes the number of records of a page.
        size: records of a page, as many as all lists of the CRM are known to give; None: as many as it gives unasked.
        cursor_path: where an answer has the next cursor.
    """

    param: str
    size_param: str
    size: int | None
    cursor_path: str = ""


@dataclass(frozen=True, slots=True)
class EndpointRules:
    """What a CRM's endpoints have in common, for those that users declare.

    Attributes:
        paging: by kind of paging; ``POST cursor`` where a request with a body calls it otherwise.
        reads_by_post: the paths, as a pattern, on which a POST only reads.
        total: returns what the CRM counts, from the headers and the decoded body of an answer; None for nothing.
        usual: the kind of paging that a path has, by method and path, where nobody says it.
        whole_ids: whether fields named ``id`` and ``…_id`` hold whole numbers.
        ends_in_slash: whether every path does.
    """

    paging: Mapping[str, PagingParams] = field(default_factory=dict)
    reads_by_post: str = "(?!)"
    total: Callable[[Mapping[str, str], object], int | None] = lambda _headers, _body: None
    usual: Callable[[str, str], str] = lambda _method, _path: "none"
    whole_ids: bool = False
    ends_in_slash: bool = False

    def reads(self, method: str, path: str) -> bool:
        """Tell whether a request only reads."""
        return method == "GET" or (method == "POST" and re.fullmatch(self.reads_by_post, path) is not None)


@dataclass(frozen=True, slots=True)
class Provider:
    """One CRM: its streams, and what is the same for all of them.

    Attributes:
        name: the value of the setting ``provider``.
        title: the CRM's name for people.
        base_url: the API's root.
        requests_per_minute: the documented limit.
        limit_is_known: that is the limit of each group, within any minute; else it is an example, and answers tell it.
        streams: every stream.
        authenticate: makes the credentials from the settings; raises ``ConfigError`` if some are missing.
        headers: sent with every request.
        group_of: from method and path to the name of the endpoint group whose limit a request counts against.
        rates: requests a minute of the groups for which another limit is documented.
        extra_limits: limits that some requests have besides that of their group.
        discover: finds the streams that only the account tells of, each with its schema.
        settings: declares the settings that only this CRM has, as a dataclass; None if there are none.
        unused: common settings that change nothing with this CRM.
        identity: tells which account is read, so that no state is continued with another one.
        change_log: the stream that tells of changes in all others: whoever waits for changes asks this one only.
        endpoints: what holds for endpoints that users declare.
        events: how it sends events; None if it sends none.
        hints: what its events hint at; None where it sends none.
        schemas: the folder of its schema files; None for the one that has its name beside those of the other CRMs.
    """

    name: str
    title: str
    base_url: str
    requests_per_minute: int
    streams: tuple[StreamSpec, ...]
    authenticate: Callable[[AccountSettings], AuthBase]
    headers: Mapping[str, str] = field(default_factory=dict)
    limit_is_known: bool = False
    group_of: Callable[[str, str], str] = one_group
    rates: Mapping[str, int] = field(default_factory=dict)
    extra_limits: tuple[ExtraLimit, ...] = ()
    discover: Callable[[Reading], Sequence[tuple[StreamSpec, dict[str, Any]]]] | None = None
    settings: type | None = None
    unused: frozenset[str] = frozenset()
    identity: Identity | None = None
    change_log: str | None = None
    endpoints: EndpointRules = field(default_factory=EndpointRules)
    events: EventRules | None = None
    hints: HintRules | None = None
    schemas: Traversable | None = None
