"""What the contract's tests need to know of a CRM's custom fields."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.custom_truth import Crm as Truth

FORBIDDEN = 403
#: A label, and the kind where several fields are called so.
Which: TypeAlias = tuple[str, str]


class Custom(ABC):
    """The custom fields of a CRM.

    Attributes:
        crm: its name.
        stream: the stream that most tests look at.
        streams: all that have custom fields.
        definitions: the stream of the definitions; its key is what the columns are known by.
        shape: a small account; the same shape is the same account.
        few: what makes it smaller still, where there are many definitions.
        many: what gives it so many definitions that names collide; how many columns ``stream`` has then, at least.
        none: what leaves it without any.
        kinds: every kind that there is, as descriptions name it.
        names: how columns of ``stream`` are called; ``{id}`` and ``{end}`` stand for the id and its end.
        gone: fields of ``stream`` to deselect.
        paths: streams, and the lists of definitions that are asked for these.
        careful: streams whose pages are read with care, once `add_unknown` was called.
        failing: the list of definitions that all of ``streams`` need.
        refused: lists of definitions and statuses, the streams that need them, and those that may have none of theirs.
        wrong: values that do not fit their field.
        alike: values that only look different, and what they are.
        pair: a stream that is read fast, and one that is read with care; often the same.
        renamed: the field of ``stream`` that changes, the name it has in a column, and its new name and column.
        other: a further field of ``stream``, whose name the first one takes; where that is one of ``changes``.
        changes: what happens to definitions between two runs, and the streams that it concerns: "added, filled", and
            what this CRM may tell in another way than the others. Pebble, whose runs are small, has all the rest.
        looked_at: the streams that these tests read.
        retyped: another kind for fields of ``stream``, all at once.
        still_right: one more, whose column has the right type as it is.
        link: the kind of ``renamed``, of which ``new_value`` is a value.
    """

    crm: ClassVar[str]
    stream: ClassVar[str]
    streams: ClassVar[tuple[str, ...]]
    definitions: ClassVar[str] = "custom_fields"
    shape: ClassVar[dict[str, Any]]
    few: ClassVar[dict[str, Any]] = {}
    many: ClassVar[tuple[dict[str, Any], int]]
    none: ClassVar[dict[str, Any]]
    kinds: ClassVar[set[str]]
    names: ClassVar[dict[Which, str]]
    gone: ClassVar[tuple[str, ...]]
    paths: ClassVar[tuple[tuple[tuple[str, ...], frozenset[str]], ...]]
    failing: ClassVar[str]
    refused: ClassVar[tuple[tuple[str, int, tuple[str, ...]], ...]]
    wrong: ClassVar[dict[Which, Any]]
    alike: ClassVar[dict[Which, tuple[Any, Any]]]
    pair: ClassVar[tuple[str, str]]
    renamed: ClassVar[tuple[str, str, str, str]]
    other: ClassVar[str] = ""
    changes: ClassVar[dict[str, tuple[str, ...]]]
    looked_at: ClassVar[tuple[str, ...]]
    retyped: ClassVar[dict[Which, dict[str, Any]]]
    still_right: ClassVar[tuple[Which, dict[str, Any]] | None] = None
    new_value: ClassVar[Any] = "https://new.example"

    def app(self, shape: dict[str, Any] | None = None, **knobs: Any) -> Any:  # noqa: ANN401 - the CRM's own server
        """Return the server of a small account; the same shape makes the same one."""
        return self.server({**self.shape, **(shape or {})}, **{"rate_limit": 0, **knobs})

    @abstractmethod
    def server(self, shape: dict[str, Any], **knobs: Any) -> Any:  # noqa: ANN401
        """Return the server of an account."""

    @abstractmethod
    def set_all(self, app: Any, number: str, value: Any) -> None:  # noqa: ANN401
        """Let every record of ``stream`` have this value of a field, beside its others."""

    def gather(self, app: Any) -> bool:  # noqa: ANN401, ARG002
        """Let ``stream`` have all fields that it could have, so that their names meet; tell whether that is new."""
        return False

    @abstractmethod
    def truth(self, app: Any) -> Truth:  # noqa: ANN401 - the CRM's own server
        """Return what its columns should hold."""

    @abstractmethod
    def number(self, app: Any, label: str, kind: str = "", stream: str = "") -> str:  # noqa: ANN401
        """Return the id of a field of a stream, the usual one if none is named."""

    @abstractmethod
    def give(self, app: Any, stream: str, values: dict[str, Any], place: int = 0) -> Any:  # noqa: ANN401
        """Give a record these values by field; return its id."""

    @abstractmethod
    def add(self, app: Any, label: str, *, like: str = "") -> str:  # noqa: ANN401
        """Define a field of ``stream`` of which each record has a value, of the kind of another; return its id."""

    @abstractmethod
    def rename(self, app: Any, number: str, label: str) -> None:  # noqa: ANN401
        """Give a field another name."""

    @abstractmethod
    def remove(self, app: Any, number: str) -> None:  # noqa: ANN401
        """Delete a field."""

    @abstractmethod
    def retype(self, app: Any, number: str, order: dict[str, Any]) -> None:  # noqa: ANN401
        """Make a field one of another kind."""

    @abstractmethod
    def change(self, app: Any, name: str) -> None:  # noqa: ANN401
        """Let one of ``changes`` happen."""

    def care(self, app: Any, stream: str) -> None:  # noqa: ANN401
        """Let the pages of a stream need care: its records have a field that nobody knows."""
        app.account.edit(stream, ids=app.account.ids(stream), changes={"brand_new": [1.5]})

    def touch(self, app: Any) -> None:  # noqa: ANN401
        """Edit every record that is looked at: changes of definitions move no date."""
        for stream in self.looked_at:
            app.account.edit(stream, ids=app.account.ids(stream))

    def values(self, app: Any, stream: str) -> dict[Any, dict[str, Any]]:  # noqa: ANN401
        """Return the values as they come, by the ids of records and of fields."""
        return {record["id"]: self.raw(record) for record in app.account.records(stream)}

    @abstractmethod
    def raw(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return the values of a record as it comes, by the ids of fields."""

    def answer_with(self, app: Any, status: int, path: str) -> Callable[[], None]:  # noqa: ANN401
        """Let a list of definitions be refused; return what ends it."""
        assert status == FORBIDDEN
        app.behaviour.forbidden = [path]

        def allow() -> None:
            app.behaviour.forbidden = []

        return allow
