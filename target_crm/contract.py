"""What an object of a CRM is, said as data, and what a CRM's writer does."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from math import inf
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from tap_crm.shaping.custom.fields import id_described

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping, Sequence

    from target_crm.config.settings import StreamSettings
    from target_crm.kinds.base import Kind

Id: TypeAlias = "int | str"
Record: TypeAlias = "dict[str, Any]"

CREATE, UPDATE, DELETE = "create", "update", "delete"
#: How the id of a record begins that a dry run would have made.
NEW = "(new "
_WHOLE = re.compile(r"-?[0-9]{1,18}")
#: All whole numbers below are floats, too.
_FLOATS = 2**53
_HEX = re.compile(r"[0-9a-fA-F]+")


def exact(text: str) -> float | int | Decimal:
    """Return the number that a JSON text with a fraction or an exponent says.

    Where its whole part is too large for a float, which would make one of two keys that differ, it is kept as it is.
    """
    number = float(text)
    if abs(number) < _FLOATS:
        return number
    found = Decimal(text)
    is_whole = abs(number) != inf and found == found.to_integral_value()
    return int(found) if is_whole else found


class Unwritable(Exception):  # noqa: N818 - it names the record
    """This record cannot be written; its text says why, for the report: it may hold what the record holds."""


class Ambiguous(Unwritable):
    """What a record says is the name of more than one thing."""


class Skipped(Exception):  # noqa: N818 - it names the record
    """This record is not meant to be written; its text says why, for the report."""


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One field of an object.

    Attributes:
        name: as the tap's stream has it, such as ``custom_shoe_size``.
        kind: what its values are; None for a field that the CRM does not let one write.
        custom: the id of a custom field's definition.
        once: it can be set when the record is made, and not changed later.
        only_new: it is sent when a record is made, and never compared: the CRM does not show it, or has its own.
        label_of: the field that holds the id of which this one shows the label.
        wire: the name in the CRM's API, if it is another one.
        by_relation: changed by relations between records, not by the field.
        typed_by: the field that says of which object the record is to which this one refers, and by its words the
            objects.
        within: the field whose value tells things of one name apart, such as the pipeline of a stage.
    """

    name: str
    kind: Kind | None = None
    custom: Id | None = None
    once: bool = False
    only_new: bool = False
    label_of: str | None = None
    wire: str = ""
    by_relation: bool = False
    typed_by: tuple[str, Mapping[str, str]] | None = None
    within: str = ""

    @property
    def api_name(self) -> str:
        """The name in the CRM's API."""
        return self.wire or self.name

    def value_in(self, values: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """Return what a record of the CRM has in the field, in the form of its kind; None where that cannot read it."""
        if self.kind is None:
            return None
        try:
            return self.kind.read(values.get(self.name))
        except Unwritable:
            return None


@dataclass(frozen=True, slots=True, eq=False)
class ObjectSpec:
    """One kind of record that can be written.

    Attributes:
        name: the CRM's own noun, as the tap's stream is called.
        key: the field with the CRM's id.
        fields: all fields that do not depend on the account, by name.
        order: of two objects, the one with the smaller number is written first, since the other may refer to it.
        changed: the field with the time of the last change.
        actions: of create, update and delete those that the CRM has.
        bulk: how many records one request takes, by action; 1 where it is not here.
        finders: names of fields by which the CRM's records can be found; None: by any.
        at_once: how many ids or values one question takes.
        unique: names of fields whose value the CRM allows to one record only.
        takes_external_id: whether a custom field may keep a key of ours.
        composite: the fields that are the key together, where there is no id.
        whole_ids: whether the CRM's ids are whole numbers.
        hex_ids: whether they are hex digits, whose case does not count.
        allow: nothing is written unless the stream says ``allow: true``, since it has effects on people.
        repeats: several records may be equal, and each stands for one that was written.
    """

    name: str
    fields: Mapping[str, Field]
    key: str = "id"
    order: int = 0
    changed: str | None = None
    actions: frozenset[str] = frozenset({CREATE, UPDATE, DELETE})
    bulk: Mapping[str, int] = field(default_factory=dict)
    finders: frozenset[str] | None = None
    at_once: int = 100
    unique: frozenset[str] = frozenset()
    takes_external_id: bool = True
    composite: tuple[str, ...] = ()
    whole_ids: bool = False
    hex_ids: bool = False
    allow: bool = False
    repeats: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """The fields that are the key."""
        return self.composite or (self.key,)

    @property
    def has_spelled_ids(self) -> bool:
        """Whether people write the ids, such as addresses: one may then be spelled in several ways."""
        return self.key in self.unique

    def typed_id(self, text: str) -> Id:
        """Return an id as the CRM types it; what can be none stays as it is."""
        if self.hex_ids and _HEX.fullmatch(text):
            return text.lower()
        return int(text) if self.whole_ids and _WHOLE.fullmatch(text) else text

    def is_same_id(self, one: Id, other: Id) -> bool:
        """Tell whether two ids are those of one record."""
        if self.typed_id(str(one)) == self.typed_id(str(other)):
            return True
        kind = self.fields[self.key].kind if self.has_spelled_ids else None
        return kind is not None and kind.holds(kind.read(one), kind.read(other))


@dataclass(frozen=True, slots=True)
class Columns:
    """The fields of an object in this account.

    Attributes:
        fields: all of them by name.
        by_id: custom fields by the id of their definition.
        aliases: further names of custom fields.
        raw: where a record may hold custom fields as the CRM has them, and what splits them into pairs of id and value.
        described: returns the id of the custom field from which the tap made a property, or None.
    """

    fields: Mapping[str, Field]
    by_id: Mapping[str, Field] = field(default_factory=dict)
    aliases: Mapping[str, Field] = field(default_factory=dict)
    raw: tuple[str, Callable[[Any], Sequence[tuple[Id, Any]]]] | None = None
    described: Callable[[dict[str, Any]], str | None] = id_described


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A record as the CRM has it.

    Attributes:
        values: by the field's name, as the CRM writes them; a field that it does not name is empty.
        changed: epoch seconds of the last change; None where it does not tell.
        created: epoch seconds of its creation; None where it does not tell.
        is_indexed: it comes from an index that may lag; who writes over it reads it again.
        is_searched: it comes from a search that was asked just now; who sends what depends on it reads it again.
    """

    id: Id
    values: Mapping[str, Any]
    changed: float | None = None
    created: float | None = None
    is_indexed: bool = False
    is_searched: bool = False


@dataclass(frozen=True, slots=True)
class Write:
    """What is to be sent for one record.

    Attributes:
        id: the CRM's id; None for a record that is to be made.
        values: by field, what is to be in it, in the form that its kind has; None empties it.
        present: the record as it is; None for a new one.
        key: the field that keeps our own key; None where there is none.
        again: an earlier attempt may have taken effect all the same.
        is_union: what lists have already stays: where the CRM can add to them, nobody else's entry is lost.
    """

    action: str
    id: Id | None
    values: Mapping[Field, Any]
    present: Snapshot | None = None
    key: Field | None = None
    again: bool = False
    is_union: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """The CRM took it. ``record`` is its answer, None where it only says so."""

    id: Id
    record: Snapshot | None = None


@dataclass(frozen=True, slots=True)
class NotTaken:
    """The CRM refused this record; ``reason`` are its words. ``gone``: there is no such record any more."""

    reason: str
    gone: bool = False


@dataclass(frozen=True, slots=True)
class InDoubt:
    """Nothing tells whether the CRM took this record, or all of it: it has to be looked for."""


Answer: TypeAlias = "Written | NotTaken | InDoubt"


class Writer(Protocol):
    """How one CRM is written to. Its methods are called from several threads.

    Every method that asks raises what the transport does: ``CredentialsRefused`` ends the run, ``Forbidden`` the
    stream, ``EffectUnknown`` says that a write was sent and nothing tells whether it took effect.
    """

    def names(self) -> Sequence[str]:
        """Return the names of the objects that can be written, as far as no request is needed to know them."""
        ...

    def spec(self, stream: str, settings: StreamSettings) -> ObjectSpec:
        """Return the object that a stream is written to; nothing is asked.

        Raises:
            ConfigError: there is none, or it cannot be written; names the nearest one.
        """
        ...

    def probe(self) -> None:
        """Ask one cheap question that shows whether the credentials are good."""
        ...

    def accounts(self) -> Sequence[str]:
        """Return marks of the accounts that the credentials may stand for: mostly one, none where nothing tells."""
        ...

    def place(self, spec: ObjectSpec) -> str:
        """Return what tells the object that a stream is written to from all others of the account."""
        ...

    def columns(self, spec: ObjectSpec) -> Columns:
        """Return the object's fields in this account; asked once per run."""
        ...

    def screen(self, spec: ObjectSpec, wanted: MutableMapping[Field, Any]) -> None:
        """Look at a record before the CRM is asked for it; take out of it what its other fields say already.

        Raises:
            Unwritable: its fields contradict each other.
            Skipped: records of this kind are not written.
        """
        ...

    def check(self, spec: ObjectSpec, write: Write, said: Mapping[Field, Any]) -> None:
        """Check what fields demand of each other before anything is sent.

        Args:
            spec: the object.
            write: what would be sent.
            said: all that the record says.

        Raises:
            Unwritable: the CRM would refuse it, or do something else than is meant.
        """
        ...

    def find(
        self,
        spec: ObjectSpec,
        fields: Sequence[Field],
        wanted: Sequence[tuple[Any, ...]],
        since: float | None = None,
        said: Sequence[Mapping[Field, Any]] = (),
    ) -> Sequence[Sequence[Snapshot]]:
        """Return for each tuple of values the records that have them in these fields.

        Args:
            spec: the object.
            fields: the fields.
            wanted: values in the form of the fields' kinds.
            since: only what was made since then, epoch seconds, is asked for: as fresh as the CRM can tell.
            said: all that each record says, in the same order; one that names its parent may be found among its
                children.
        """
        ...

    def read(self, spec: ObjectSpec, ids: Sequence[Id], since: Mapping[Id, float]) -> Mapping[Id, Snapshot]:
        """Return the records with these ids as they are now.

        Args:
            spec: the object.
            ids: the CRM's ids.
            since: by id, the time of a change that the answer has to show: an older answer comes from a stale index.
                An id that is here, maybe with 0, and not in the answer, is gone for certain.
        """
        ...

    def leads_to(self, spec: ObjectSpec, field: Field) -> str | None:
        """Return the object of the records to which a field refers, where no documentation tells; None: unknown."""
        ...

    def send(self, spec: ObjectSpec, writes: Sequence[Write]) -> Sequence[Answer]:
        """Send writes of one action, no more than the object's bulk, and return an answer for each, in their order.

        An error other than ``EffectUnknown`` says that nothing at all was written.
        """
        ...
