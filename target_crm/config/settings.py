"""The target's settings, checked before any request, and typed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from tap_crm.config.kinds import amount, choice, count, database, decoded, path, wrong
from tap_crm.config.nearest import did_you_mean
from tap_crm.config.setting import Kind, is_empty, parsed, setting
from tap_crm.config.settings import Settings
from tap_crm.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_crm.config.settings import KnowsSettings

#: What the target has in common with the tap.
CONNECTION = (
    *("provider", "api_key", "user_email", "access_token", "oauth", "api_url", "requests_per_minute"),
    *("rate_limit_percent", "retry_seconds", "request_timeout_seconds", "date_order"),
)
ALL = "*"
JOURNAL = "target-crm.sqlite"
_CHOICES = {
    "mode": ("upsert", "create", "update"),
    "nulls": ("ignore", "clear"),
    "arrays": ("replace", "union"),
    "conflict": ("overwrite", "skip", "fail"),
    "on_delete": ("ignore", "delete"),
}


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """How one stream is written.

    Attributes:
        object: the CRM's object, or Copera's board and table; None for the one of the stream's name.
        match: fields of the record that find the CRM's; empty for the stream's primary key.
        external_id: the CRM's field that keeps the value of the single field in ``match``.
        fields: by the record's field the CRM's; None leaves it out.
        allow: whether an object that has effects on people may be written.
    """

    object: str | Mapping[str, str] | None = None
    mode: str = "upsert"
    match: tuple[str, ...] = ()
    external_id: str | None = None
    nulls: str = "ignore"
    arrays: str = "replace"
    conflict: str = "overwrite"
    on_delete: str = "ignore"
    fields: Mapping[str, str | None] = field(default_factory=dict)
    allow: bool = False


def _parse_streams(value: Any, name: str) -> dict[str, StreamSettings]:  # noqa: ANN401 - any JSON
    given = decoded(value, name)
    if not isinstance(given, dict) or not all(isinstance(one, dict) for one in given.values()):
        raise wrong(name, "must be an object with an object of settings for each stream")
    shared = given.get(ALL, {})
    return {stream: _stream(f"{name}.{stream}", {**shared, **one}) for stream, one in given.items()}


def _parse_yes_or_no(value: Any, name: str) -> bool:  # noqa: ANN401 - any JSON
    found = str(value).strip().lower()
    if found not in ("true", "false"):
        raise wrong(name, "must be true or false")
    return found == "true"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSettings:
    """What the target needs besides the connection.

    Attributes:
        connection: which CRM, the credentials, the limits.
    """

    connection: Settings
    streams: Mapping[str, StreamSettings] | None = setting(
        Kind(_parse_streams, ("object", "string"), meltano="object"),
        "Streams",
        "What is written, and how: an object with a stream's settings by its name, `*` for all streams; as an object "
        "or as JSON text (docs/writing.md). A stream that is not named is refused.",
    )
    journal: str = setting(
        database(),
        "Journal",
        "Where is kept what was meant, sent and settled: a SQLite file, or a `postgresql+psycopg://` URL.",
        default=JOURNAL,
        secret=True,
    )
    report: str | None = setting(path(), "Report", "A file to which a JSON line is added for each record.")
    dry_run: bool = setting(
        Kind(_parse_yes_or_no, ("boolean",)),
        "Dry run",
        "Read and compare, report what would be done, and write nothing to the CRM or to the journal.",
        default=False,
    )
    on_reject: str = setting(
        choice("fail", "tolerate"),
        "On reject",
        "How a run ends in which records were rejected, after all others are written: with 1 (`fail`) or with 0 "
        "(`tolerate`).",
        default="fail",
    )
    max_rejects_percent: float = setting(
        amount(100),
        "Most rejects in percent",
        "A stream is stopped if more than this, and at least 20, of its records were rejected.",
        default=20,
    )
    max_deletions_percent: float = setting(
        amount(100),
        "Most deletions in percent",
        "Nothing of a stream is deleted if more than this, and at least 20, of its records in this run are deletions. "
        "Raise it for one run when they are meant.",
        default=5,
    )
    lookup_seconds: int = setting(
        count(),
        "Seconds for which an index may lag",
        "For how long a record that may have been made is looked for, in an index that may lag, before it counts as "
        "not there.",
        default=120,
    )

    @classmethod
    def from_config(cls, config: Mapping[str, Any], providers: KnowsSettings) -> Self:
        """Check the config.

        Raises:
            ConfigError: with one line that names the setting and what it should be.
        """
        connection = {name: config[name] for name in CONNECTION if name in config}
        return cls(connection=Settings.from_config(connection, providers), **parsed(cls, config))

    def names(self, stream: str) -> bool:
        """Tell whether a stream is written."""
        return stream in (self.streams or {}) or ALL in (self.streams or {})

    def writes_to(self, name: str) -> bool:
        """Tell whether any stream is written to the object of this name."""
        return self.names(name) or any(one.object == name for one in (self.streams or {}).values())

    def stream(self, name: str) -> StreamSettings:
        """Return how a stream is written.

        Raises:
            ConfigError: the settings do not name it.
        """
        streams = self.streams or {}
        found = streams.get(name) or streams.get(ALL)
        if found is None:
            raise ConfigError(
                f"the setting `streams` does not name the stream `{name}`, so it is not written; name it, or `{ALL}` "
                f"for all, or deselect it in the tap{did_you_mean(name, streams)}"
            )
        return found


def journal_of(value: Any) -> str:  # noqa: ANN401 - any JSON
    """Return the setting ``journal``, as it was given or as it is by default.

    Raises:
        ConfigError: it is neither a path nor a URL of PostgreSQL.
    """
    return JOURNAL if is_empty(value) else database().parse(value, "journal") or JOURNAL


def _stream(at: str, given: Mapping[str, Any]) -> StreamSettings:
    known = StreamSettings.__dataclass_fields__
    for key in given:
        if key not in known:
            raise ConfigError(f"the setting `{at}.{key}` does not exist{did_you_mean(key, known)}")
    chosen = {key: _choice(f"{at}.{key}", given.get(key), words) for key, words in _CHOICES.items()}
    match = _match(f"{at}.match", given.get("match"))
    external = _optional(given.get("external_id"), f"{at}.external_id")
    if external is not None and len(match) > 1:
        raise ConfigError(f"the setting `{at}.external_id` goes with one field in `match`, and there are {len(match)}")
    allow = given.get("allow", False)
    if not isinstance(allow, bool):
        raise ConfigError(f"the setting `{at}.allow` must be true or false")
    return StreamSettings(
        object=_object(f"{at}.object", given.get("object")),
        match=match,
        external_id=external,
        fields=_fields(f"{at}.fields", given.get("fields")),
        allow=allow,
        **chosen,
    )


def _object(at: str, value: Any) -> str | dict[str, str] | None:  # noqa: ANN401
    if isinstance(value, dict):
        if set(value) != {"board", "table"} or not all(isinstance(one, str) and one for one in value.values()):
            raise ConfigError(f"the setting `{at}` must be a name, or an object with `board` and `table`")
        return dict(value)
    return _optional(value, at)


def _match(at: str, value: Any) -> tuple[str, ...]:  # noqa: ANN401
    if value is None or value in ("", []):
        return ()
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(one, str) and one for one in names):
        raise ConfigError(f"the setting `{at}` must be a list of names of fields")
    return tuple(names)


def _fields(at: str, value: Any) -> dict[str, str | None]:  # noqa: ANN401
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(one is None or isinstance(one, str) for one in value.values()):
        raise ConfigError(f"the setting `{at}` must be an object: the record's field, and the CRM's or null")
    targets = [one for one in value.values() if one]
    twice = sorted({one for one in targets if targets.count(one) > 1})
    if twice:
        raise ConfigError(f"the setting `{at}` maps two fields to `{twice[0]}`")
    return {name: one or None for name, one in value.items()}  # Meltano has no null within an object


def _optional(value: Any, name: str) -> str | None:  # noqa: ANN401
    return None if is_empty(value) else _text(value, name)


def _text(value: Any, name: str) -> str:  # noqa: ANN401
    if not isinstance(value, str) or not value.isprintable():
        raise wrong(name, "must be text")
    return value.strip()


def _choice(name: str, value: Any, words: tuple[str, ...]) -> str:  # noqa: ANN401
    if value is None or value == "":
        return words[0]
    if value not in words:
        near = did_you_mean(value, words) if isinstance(value, str) else ""
        raise ConfigError(f"the setting `{name}` must be one of: {', '.join(words)}{near}")
    return str(value)
