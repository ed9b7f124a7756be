"""The target's settings, checked before any request, and typed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from tap_crm.config.nearest import did_you_mean
from tap_crm.config.settings import Settings
from tap_crm.errors import ConfigError
from target_crm.config.schema import CONFIG, CONNECTION

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ALL = "*"
JOURNAL = "target-crm.sqlite"
POSTGRESQL = "postgresql+psycopg://"
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


@dataclass(frozen=True, slots=True)
class TargetSettings:
    """The user's settings, checked and typed."""

    connection: Settings
    streams: Mapping[str, StreamSettings]
    journal: str = field(repr=False)
    report: str | None
    dry_run: bool
    on_reject: str
    max_rejects_percent: float
    max_deletions_percent: float
    lookup_seconds: int

    @classmethod
    def from_config(cls, config: Mapping[str, Any], providers: Iterable[str]) -> TargetSettings:
        """Check the config.

        Raises:
            ConfigError: with one line that names the setting and what it should be.
        """
        connection = {name: config[name] for name in CONNECTION if name in config}
        return cls(
            connection=Settings.from_config(connection, providers),
            streams=_streams(config.get("streams")),
            journal=journal_of(config.get("journal")),
            report=_path(config, "report"),
            dry_run=_yes_or_no(config, "dry_run"),
            on_reject=_choice("on_reject", config.get("on_reject"), ("fail", "tolerate")),
            max_rejects_percent=_amount(config, "max_rejects_percent", 100),
            max_deletions_percent=_amount(config, "max_deletions_percent", 100),
            lookup_seconds=int(_amount(config, "lookup_seconds", 86_400)),
        )

    def stream(self, name: str) -> StreamSettings:
        """Return how a stream is written.

        Raises:
            ConfigError: the settings do not name it.
        """
        found = self.streams.get(name) or self.streams.get(ALL)
        if found is None:
            raise ConfigError(
                f"the setting `streams` does not name the stream `{name}`, so it is not written; name it, or `{ALL}` "
                f"for all, or deselect it in the tap{did_you_mean(name, self.streams)}"
            )
        return found


def journal_of(value: Any) -> str:  # noqa: ANN401 - any JSON
    """Return the setting ``journal``.

    Raises:
        ConfigError: it is neither a path nor a URL of PostgreSQL.
    """
    text = _text(value, "journal") or JOURNAL
    if "://" in text and not text.startswith(POSTGRESQL):
        raise ConfigError(f"the setting `journal` must be a file's path, or a URL that begins with {POSTGRESQL}")
    return text


def _streams(value: Any) -> dict[str, StreamSettings]:  # noqa: ANN401
    given = _decoded(value)
    if not isinstance(given, dict) or not all(isinstance(one, dict) for one in given.values()):
        raise ConfigError("the setting `streams` must be an object with an object of settings for each stream")
    shared = given.get(ALL, {})
    return {name: _stream(name, {**shared, **one}) for name, one in given.items()}


def _decoded(value: Any) -> Any:  # noqa: ANN401
    if value is None or value == "":
        return {}
    if not isinstance(value, str):
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise ConfigError("the setting `streams` is text, but no JSON") from None


def _stream(name: str, given: Mapping[str, Any]) -> StreamSettings:
    at = f"streams.{name}"
    known = StreamSettings.__dataclass_fields__
    for key in given:
        if key not in known:
            raise ConfigError(f"the setting `{at}.{key}` does not exist{did_you_mean(key, known)}")
    chosen = {key: _choice(f"{at}.{key}", given.get(key), words) for key, words in _CHOICES.items()}
    match = _match(f"{at}.match", given.get("match"))
    external = _text(given.get("external_id"), f"{at}.external_id")
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
    return _text(value, at)


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


def _text(value: Any, name: str) -> str | None:  # noqa: ANN401
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not value.isprintable():
        raise ConfigError(f"the setting `{name}` must be text")
    return value.strip() or None


def _path(config: Mapping[str, Any], name: str) -> str | None:
    return _text(config.get(name), name)


def _choice(name: str, value: Any, words: tuple[str, ...]) -> str:  # noqa: ANN401
    if value is None or value == "":
        return words[0]
    if value not in words:
        near = did_you_mean(value, words) if isinstance(value, str) else ""
        raise ConfigError(f"the setting `{name}` must be one of: {', '.join(words)}{near}")
    return str(value)


def _yes_or_no(config: Mapping[str, Any], name: str) -> bool:
    value = config.get(name)
    if value in (None, ""):
        return False
    if not isinstance(value, bool):
        raise ConfigError(f"the setting `{name}` must be true or false")
    return value


def _amount(config: Mapping[str, Any], name: str, most: int) -> float:
    value = config.get(name)
    if value is None or value == "":
        return float(CONFIG["properties"][name]["default"])
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if isinstance(value, bool) or not 0 <= number <= most:
        raise ConfigError(f"the setting `{name}` must be a number from 0 to {most}")
    return number
