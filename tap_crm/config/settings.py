"""The settings that several CRMs have: each is a row of a table, and a typed attribute of what a run is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from tap_crm.config.child_tables import parse_child_tables
from tap_crm.config.endpoints import Endpoint, parse_endpoints
from tap_crm.config.kinds import (
    MOST_DAYS,
    amount,
    choice,
    column,
    count,
    database,
    decoded,
    moment,
    switch,
    text,
    token,
    truth,
    url,
)
from tap_crm.config.setting import Kind, parsed, secrets_in, setting
from tap_crm.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

T = TypeVar("T")
DAY = 86_400


class KnowsSettings(Protocol):
    """The CRMs that there are, of which only their own settings are asked for."""

    def __iter__(self) -> Iterator[str]:
        """Yield their names."""

    def __contains__(self, name: object, /) -> bool:
        """Tell whether there is one of this name."""

    def settings(self) -> Mapping[str, type]:
        """Return the dataclasses that declare the settings which only one CRM has, for each that has some."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSettings:
    """What every command needs that asks a CRM: which one, the credentials, the limits.

    Attributes:
        own: the settings that only this CRM has; ask for them by ``of``.
    """

    provider: str = setting(text(), "CRM", "Which CRM is read: {crms}.", required=True)
    api_key: str | None = setting(
        text(),
        "API key",
        "The CRM's API key; Copera's token (`cp_pat_…`, `cp_key_…`, `cp_oat_…`).",
        secret=True,
    )
    access_token: str | None = setting(
        text(), "Access token", "A static OAuth bearer token, instead of `api_key`.", secret=True
    )
    api_url: str | None = setting(
        url(),
        "API address",
        "Overrides the API's base URL, path prefix included (`http://127.0.0.1:9000/developer_api/v1`).",
        placeholder="http://127.0.0.1:9000/developer_api/v1",
    )
    requests_per_minute: int | None = setting(
        count(),
        "Requests per minute",
        "Overrides the CRM's documented limit; requests are then spaced evenly under it, without bursts. 0 switches "
        "pacing off.",
    )
    rate_limit_percent: float = setting(
        amount(100, is_zero_nothing=True),
        "Share of the rate limit in percent",
        "How much of each limit is used, in any window. Lower it where other integrations use the same account: the "
        "rest is left to them.",
        default=100,
    )
    retry_seconds: int = setting(
        count(), "Retries in seconds", "How long a failing request is tried again before its stream fails.", default=600
    )
    request_timeout_seconds: int = setting(
        count(is_zero_nothing=True),
        "Timeout in seconds",
        "How long an answer may stay silent before the request counts as failed and is tried again.",
        default=120,
    )
    date_order: str = setting(
        choice("mdy", "dmy"),
        "Order of dates",
        "Copper: how the account writes dates that come as text: `mdy` (1/31/2026) or `dmy` (31/1/2026).",
        default="mdy",
    )
    own: object = None

    @classmethod
    def from_config(cls, config: Mapping[str, Any], providers: KnowsSettings) -> Self:
        """Check the config, the settings of every CRM included.

        Raises:
            ConfigError: with one line that names the setting and what it should be.
        """
        name, known = config.get("provider"), ", ".join(providers)
        if not name:
            raise ConfigError(f"the setting `provider` is missing; set it to one of: {known}")
        if not isinstance(name, str) or name not in providers:
            raise ConfigError(f"the setting `provider` is not known; set it to one of: {known}")
        common = parsed(cls, config)
        groups = providers.settings()
        owns = {crm: group(**parsed(group, config)) for crm, group in groups.items()}
        return cls(**common, own=owns.get(name))

    def of(self, group: type[T]) -> T:
        """Return the settings that only this CRM has, as the dataclass that declares them."""
        assert isinstance(self.own, group)  # noqa: S101 - a CRM asks for its own settings only
        return self.own

    @property
    def secrets(self) -> list[str]:
        """Whatever no log line may show."""
        own = () if self.own is None else secrets_in(self.own)
        return [*secrets_in(self), *own]


def _endpoints(value: Any, name: str) -> tuple[Endpoint, ...]:  # noqa: ANN401 - any JSON
    return parse_endpoints(decoded(value, name))


_CHILD_TABLES = Kind(parse_child_tables, ("array", "string"), {"items": {"type": "string"}})
_ENDPOINTS = Kind(_endpoints, ("array", "string"), {"items": {"type": "object"}})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(AccountSettings):
    """What the tap needs besides: what is read, how often, and the form in which it is written."""

    start_date: int | None = setting(
        moment(),
        "Start date",
        "Earliest change to read on a first run, ISO 8601 (`2026-01-01` or `2026-01-01T00:00:00Z`). Without it, "
        "everything is read.",
        placeholder="2026-01-01T00:00:00",
    )
    overlap_seconds: int = setting(
        count(),
        "Overlap in seconds",
        "How far each run re-reads before its bookmark, for records that appear late in the CRM's index.",
        default=300,
    )
    activity_lookback_days: float = setting(
        amount(MOST_DAYS),
        "Look-back on activities in days",
        "How far each run re-reads activities, whose edits and late entries the API cannot filter on.",
        default=1,
    )
    reconcile: str = setting(
        switch("auto"),
        "Reconcile",
        "Streams with a bookmark: when to read them completely beside it, which finds deletions: `auto` (every "
        "`reconcile_days`), `true` (in this run) or `false` (never). Lists that are read whole, and Copera's tables: "
        "when to write all rows anew, though they did not change.",
        default="auto",
    )
    reconcile_days: float = setting(
        amount(MOST_DAYS),
        "Days between reconciles",
        "How long after a reconcile the next one is due, with `reconcile: auto`.",
        default=7,
    )
    reconcile_max_requests: int | None = setting(
        count(),
        "Most requests of reconciles",
        "About how many requests the reconciles of one run may use; the next run goes on where they stopped. Without "
        "it, as many as they need.",
    )
    max_run_minutes: float | None = setting(
        amount(is_zero_nothing=True),
        "Most minutes of a run",
        "After so many minutes a run ends by itself, at a checkpoint and with exit code 0, and the next run goes on "
        "there. Set it below the scheduler's time limit: the loader then confirms what it was given.",
    )
    max_run_requests: int | None = setting(
        count(is_zero_nothing=True),
        "Most requests of a run",
        "After about so many requests a run ends by itself, likewise.",
    )
    max_deletions_percent: float = setting(
        amount(100),
        "Most deletions in percent",
        "A stream of which more than this, and at least 100 rows, seems to be deleted fails, and nothing is marked: a "
        "lost permission looks the same. Raise it for one run when they are deleted indeed.",
        default=20,
    )
    max_unexplained_percent: float = setting(
        amount(100),
        "Most records that are counted and not shown, in percent",
        "A stream fails, and its bookmark stays, if more than this of the records that the CRM itself counts are never "
        "shown, unless these are fewer than 10 and, in a read of everything, one or at most a tenth. Fewer are told in "
        "`sync_audit` as `unexplained`, and nothing counts as deleted meanwhile. Raise it where the CRM counts records "
        "that it does not give.",
        default=1,
    )
    custom_fields: str = setting(
        choice("columns", "raw", "both"),
        "Form of custom fields",
        "How custom fields, and the columns of Copera's tables, arrive: `columns` (a typed column each, with labels), "
        "`raw` (in one property, in the form in which the CRM has them) or `both`; in Copera, `both` has the ids of "
        "options as well.",
        default="columns",
    )
    custom_field_names: str = setting(
        choice("name", "id"),
        "Names of custom fields' columns",
        "Copper, Close: of what the names of custom fields' columns are made: `name` (`custom_shoe_size`) or `id` "
        "(`custom_126240`), which no renaming changes.",
        default="name",
    )
    free_objects: str = setting(
        choice("object", "text"),
        "Form of objects of any shape",
        "How properties arrive that hold objects whose fields are not declared, such as `_extra`: as `object`, or as "
        "`text` (JSON text), for loaders that take no such objects (Parquet, Avro). Choose before the first load.",
        default="object",
    )
    nested_values: str = setting(
        choice("typed", "text"),
        "Form of objects and arrays",
        "How objects and arrays arrive: `typed` (with the types of their parts) or `text` (JSON text, which loaders "
        "take at half the cost; docs/loaders.md). A stream that was loaded keeps its form.",
        default="typed",
    )
    missing_properties: str = setting(
        choice("absent", "null"),
        "Missing properties",
        "What a record has for a property that the CRM left out: nothing (`absent`), or `null`, which also puts all "
        "properties into the order of the schema, for loaders that write lines of values (CSV).",
        default="absent",
    )
    activate_versions: bool = setting(
        truth(),
        "Versions of streams",
        "Whether ACTIVATE_VERSION tells the target which rows are gone. `false` for loaders that stop at such a "
        "message; SQL finds these rows then (docs/deletions.md).",
        default=True,
    )
    account_column: str | None = setting(
        column(),
        "Column of the account",
        "Several accounts in the same tables: the name of a column with the account's id, such as `_account`, in each "
        "record and in the primary key of each stream. No ACTIVATE_VERSION is sent then, which would mark the rows of "
        "the other accounts (docs/schedules.md). Choose before the first load.",
        placeholder="_account",
    )
    endpoints: tuple[Endpoint, ...] = setting(
        _ENDPOINTS,
        "Further endpoints as streams",
        "Further endpoints of the CRM's API as streams: a list of objects with `stream`, `path`, `keys` and more "
        "(docs/endpoints.md), as a list or as JSON text.",
        default=(),
    )
    child_tables: tuple[str, ...] = setting(
        _CHILD_TABLES,
        "Arrays as streams",
        "Arrays of records that are streams of their own, a row for each element: a list of names such as `emails` or "
        "`people.tags`, or `*` for all (docs/child-tables.md). `people__emails` has the parent's key and the position.",
        default=(),
        placeholder='["emails", "tags"]',
    )
    journal: str | None = setting(
        database(),
        "Journal of target-crm",
        "The journal of `target-crm`: a SQLite file, or a `postgresql+psycopg://` URL. What it has written becomes the "
        "stream `writes`, which tells its own changes from those of people (docs/two-way.md).",
        secret=True,
        placeholder="output/target-copper.sqlite",
    )
    inbox: str | None = setting(
        database(),
        "Inbox",
        "Where events of the CRM wait that `tap-crm-inbox serve` received (docs/events.md): a SQLite file, or a "
        "`postgresql+psycopg://` URL. The tap then reads at once again what they name.",
        secret=True,
    )
    inbox_token: str | None = setting(
        token(),
        "Token of the inbox",
        "Secret part of the receiver's address, at least 32 characters that nobody can guess.",
        secret=True,
    )
    inbox_signature_key: str | None = setting(
        text(),
        "Key of signatures",
        "The key with which events are signed, where the inbox does not know it: Copera, as its app shows it; Close, "
        "of a webhook that `tap-crm-inbox subscribe` did not make.",
        secret=True,
    )
    inbox_keep_days: float = setting(
        amount(MOST_DAYS),
        "Days that the inbox keeps",
        "How long the inbox keeps events after a target has confirmed their use. Older ones that wait are told as an "
        "alarm, and kept.",
        default=7,
    )
    inbox_keep_megabytes: int = setting(
        count(),
        "Megabytes that the inbox keeps",
        "How much the inbox keeps of each CRM before used events are removed earlier.",
        default=1024,
    )

    @property
    def tells_versions(self) -> bool:
        """Whether the target is told of versions: they are of whole tables, so not where several accounts share one."""
        return self.activate_versions and self.account_column is None

    @property
    def activity_lookback(self) -> int:
        """Seconds of the look-back on activities."""
        return int(self.activity_lookback_days * DAY)
