"""From a record's fields to the CRM's: names, labels, references; what cannot be meant is refused, with the nearest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from tap_crm.config.nearest import did_you_mean
from tap_crm.errors import ConfigError
from tap_crm.shaping.moments import to_exact_epoch
from tap_crm.shaping.schema import EXTRA
from target_crm.contract import Ambiguous, Unwritable
from target_crm.kinds.base import unpacked
from target_crm.kinds.options import is_ambiguous

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_crm.config.settings import StreamSettings
    from target_crm.contract import Columns, Field, ObjectSpec

    #: A name in a record, what it means, and its value.
    _Pair: TypeAlias = tuple[str, Field, Any]

#: Of the SDK's and the tap's own columns nothing is written that `fields` does not name.
_OWN = "_sdc_"
_EMPTY: tuple[Any, ...] = (None, "", [], {})
DELETED_AT = "_sdc_deleted_at"


def is_deleted(record: Mapping[str, Any]) -> bool:
    """Tell whether a record says that it is deleted; an empty text, as files have it for null, says nothing."""
    told = record.get(DELETED_AT)
    return told is not None and told is not False and bool(str(told).strip())


@dataclass(frozen=True, slots=True)
class Names:
    """What the names in the records of one schema mean.

    Attributes:
        spec: the object.
        settings: the stream's.
        columns: the object's fields in this account.
        described: names of columns by whose description the schema tells the id of a custom field.
        external: the field that keeps the external id.
    """

    spec: ObjectSpec
    settings: StreamSettings
    columns: Columns
    described: Mapping[str, Field] = field(default_factory=dict)
    external: Field | None = None

    @classmethod
    def of(
        cls, spec: ObjectSpec, settings: StreamSettings, columns: Columns, properties: Mapping[str, Any], stream: str
    ) -> Names:
        """Return what the names of a schema mean.

        Raises:
            ConfigError: settings name fields that the object has not in this account.
        """
        described = {
            name: columns.by_id[key]
            for name, part in properties.items()
            if isinstance(part, dict) and (key := columns.described(part)) is not None and key in columns.by_id
        }
        names = cls(spec, settings, columns, described)
        at = f"streams.{stream}"
        for name, target in settings.fields.items():
            if target is not None and names.field(target) is None:
                raise ConfigError(
                    f"the setting `{at}.fields` maps `{name}` to `{target}`, which {spec.name} have not"
                    f"{did_you_mean(target, names.known)}"
                )
        if settings.external_id is None:
            return names
        external = names.field(settings.external_id)
        if external is None or external.kind is None:
            raise ConfigError(
                f"the setting `{at}.external_id`: {spec.name} have no writable field `{settings.external_id}`"
                f"{did_you_mean(settings.external_id, names.known)}"
            )
        return cls(spec, settings, columns, described, external)

    @property
    def known(self) -> list[str]:
        """All names that mean something."""
        return [*self.columns.fields, *self.columns.aliases, *self.described]

    def field(self, name: str) -> Field | None:
        """Return the field of this name."""
        return self.described.get(name) or self.columns.fields.get(name) or self.columns.aliases.get(name)

    def matching(self, match: tuple[str, ...]) -> tuple[Field, ...]:
        """Return the CRM's fields that the record's fields in ``match`` are found by.

        Raises:
            ConfigError: there is no such field, or the CRM cannot be asked for it.
        """
        found = []
        for name in match:
            target = self.settings.fields.get(name, name) or name
            one = self.field(target)
            if one is None:
                raise ConfigError(
                    f"the setting `match` names `{name}`, which {self.spec.name} have not; map it by `fields`, or keep "
                    f"its value in a field of the CRM, named by `external_id`{did_you_mean(target, self.known)}"
                )
            is_known = self.spec.finders is None or one.name in self.spec.finders or one.custom is not None
            if one.kind is None or not is_known:
                raise ConfigError(f"the setting `match`: {self.spec.name} cannot be found by `{name}`")
            found.append(one)
        return tuple(found)

    def wanted(self, record: Mapping[str, Any], key: Any) -> tuple[dict[Field, Any], float | None]:  # noqa: ANN401
        """Return what a record says, by field, and the time of change that it carries itself, in epoch seconds.

        Args:
            record: as it came.
            key: the value of its single key, which the external id keeps; None where there are several.

        Raises:
            Unwritable: a field is not known, or its value is none that the field can have.
        """
        said: dict[Field, Any] = {}
        labels: dict[Field, Any] = {}
        own_time: float | None = None
        pairs, raw = self._pairs(record)
        for name, one, given in pairs:
            value = self._unpacked(one, given)
            if one.name == self.spec.changed:
                own_time = self._time_of(name, value) if own_time is None else own_time
            if one.label_of is not None:
                labels[one] = value
            elif one.kind is not None:
                if one in said:
                    raise Unwritable(f"`{name}`: the record says twice what `{one.name}` is")
                said[one] = _certain(name, one, value, raw.get(one))
        self._take_labels(said, labels)
        if self.external is not None and said.get(self.external) is None and self.external.kind is not None:
            said[self.external] = _read(self.external.name, self.external, key)
        return said, own_time

    def _time_of(self, name: str, value: Any) -> float | None:  # noqa: ANN401
        """Return the time of change that a record carries, in epoch seconds; None where it carries none.

        Raises:
            Unwritable: it cannot be read, and decides: without it, what somebody changed later would be lost.
        """
        found = to_exact_epoch(value)
        if found is None and self.settings.conflict != "overwrite" and not _is_blank(value):
            raise Unwritable(f"`{name}` must be a time, such as 2026-01-31T12:00:00Z: it decides about `conflict`")
        return found

    def _pairs(self, record: Mapping[str, Any]) -> tuple[list[_Pair], dict[Field, _Pair]]:
        """Return the record's names, what they mean, and their values; and what it has of them as the CRM has it.

        Raises:
            Unwritable: a name means nothing.
        """
        pairs: list[_Pair] = []
        raw: list[_Pair] = []
        for name, value in record.items():
            if (name.startswith(_OWN) or name == EXTRA) and name not in self.settings.fields:
                continue
            target = self.settings.fields.get(name, name)
            if target is None:
                continue
            if self.columns.raw is not None and target == self.columns.raw[0]:
                raw.extend(self._raw(name, value))
                continue
            one = self.field(target)
            if one is None:
                if name in self.settings.match and self.external is not None:
                    continue  # it is what the external id keeps
                raise Unwritable(f"`{name}` is no field of {self.spec.name}{did_you_mean(name, self.known)}")
            if one.kind is None and one.custom is not None and name not in self.described and value not in _EMPTY:
                raise Unwritable(f"`{name}`: the CRM does not let one write it; leave it out by `fields`")
            pairs.append((name, one, value))
        said = {one for _, one, _ in pairs}
        beside = {pair[1]: pair for pair in raw if pair[1] in said}
        return [*pairs, *(pair for pair in raw if pair[1] not in said)], beside

    def _raw(self, name: str, value: Any) -> list[_Pair]:  # noqa: ANN401
        if value is None or self.columns.raw is None:
            return []
        found = []
        for key, held in self.columns.raw[1](unpacked(value)):
            one = self.columns.by_id.get(str(key))
            if one is None:
                raise Unwritable(f"`{name}`: there is no custom field {key} on {self.spec.name}")
            found.append((f"{name}.{key}", one, held))
        return found

    def _unpacked(self, one: Field, value: Any) -> Any:  # noqa: ANN401
        """Return a value, or what it says as JSON where it stands for several things."""
        meant = one if one.label_of is None else self.columns.fields[one.label_of]
        return unpacked(value) if meant.kind is not None and meant.kind.nested else value

    def _take_labels(self, said: dict[Field, Any], labels: Mapping[Field, Any]) -> None:
        """Make ids of labels.

        Raises:
            Unwritable: an id and its label disagree.
        """
        for label, value in labels.items():
            target = self.columns.fields[label.label_of or ""]
            if value in (None, "") or target.kind is None:
                continue
            held = said.get(target)
            if held is None or is_ambiguous(held):
                meant = _read(label.name, target, value)
                if meant is not None and (held is None or target.kind.holds(meant, held)):
                    said[target] = meant
                    continue
            if held is not None and not target.kind.agrees(held, value):
                raise Unwritable(f"`{label.name}` and `{target.name}` disagree; leave one of them out by `fields`")


def _is_blank(value: Any) -> bool:  # noqa: ANN401
    return value is None or (isinstance(value, str) and not value.strip())


def _certain(name: str, one: Field, value: Any, raw: _Pair | None) -> Any:  # noqa: ANN401
    """Return what a record says; of what has the name in common with others, the one that it has as the CRM has it."""
    refusal: Ambiguous | None = None
    try:
        found = _read(name, one, value)
    except Ambiguous as why:
        refusal, found = why, None
    if raw is not None and one.kind is not None and (refusal is not None or is_ambiguous(found)):
        held = _read(*raw)
        if held is not None and one.kind.agrees(held, value):
            return held
    if refusal is not None:
        raise refusal
    return found


def _read(name: str, one: Field, value: Any) -> Any:  # noqa: ANN401
    if one.kind is None:
        return None
    try:
        return one.kind.accept(value)
    except Unwritable as why:
        raise type(why)(f"`{name}` {why}") from None
