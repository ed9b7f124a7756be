"""What the contract's tests need to know of a CRM."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from tests.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.singer import Key, Run

Knobs: TypeAlias = dict[str, Any]

#: Records of each kind in a small account, and what is a time, and no number of records.
FEW, MOST = 12, 1_000_000


class Crm(ABC):
    """A CRM: its server, its streams, and the truth of each.

    Attributes:
        name: the value of the setting `provider`.
        module: the command that reads it.
        config: credentials that its server takes.
        plain: settings by which custom fields come as they are, where they have a form of their own.
        shape: an account with several pages of each of `streams`, and a little of everything else.
        everything: what gives each stream records.
        knobs: of the server, such as small pages.
        default: the streams that are selected unless somebody says otherwise, less those that only the account tells.
        unselected: those that cost a request a parent.
        streams: one of each way in which streams are read; those that most tests read.
        whole: all streams whose truth is known, if these are more than ``streams``.
        telling: streams that say what others are called; the truth of these needs them.
        keys: the keys of a stream, where they are not ``usual_key``.
        replication: the replication key of the streams that have one.
        edited: streams of which an edit arrives by the next run, with the most requests that 50 edits may cost where
            pages are as usual.
        changed: the field with the time of the last change of streams that a start date bounds.
        listed: one stream that is read whole in each run, and the path that it is asked for.
        broken: one stream, and the path by which it alone is read: the CRM answers it with errors.
        slow: paths whose second answer does not come.
        counted: a part of the paths of lists that the CRM counts: of others, an empty page is told from the truth only
            by asking twice, and both answers could be hit.
        endless_doubt: kinds of faults that the CRM's answers can be told from only by asking each question twice.
        tells_deletions: whether a deleted record is written once more, with the time of its end.
        left_out: what a key may not read, by knobs of the server, and the streams that are left out then.
        nothing: knobs by which a key may read nothing at all; None where there are none.
        wrong: settings that are wrong, each with words that the line has.
        no_effect: a setting that changes nothing here.
        alone: a stream, and all paths that are asked where it alone is selected.
        deselected: ``stream.field``, of each way in which records are written.
        forgotten: fields, by stream, that an old catalog does not know.
        idle: requests of a stream of which nothing changed, where it is more than one.
    """

    name: ClassVar[str]
    module: ClassVar[str] = "tap_crm"
    config: ClassVar[dict[str, Any]]
    plain: ClassVar[dict[str, Any]] = {"custom_fields": "raw"}
    shape: ClassVar[dict[str, Any]]
    everything: ClassVar[dict[str, Any]] = {}
    knobs: ClassVar[Knobs] = {}
    usual_key: ClassVar[str] = "id"
    default: ClassVar[tuple[str, ...]]
    unselected: ClassVar[tuple[str, ...]] = ()
    streams: ClassVar[tuple[str, ...]]
    whole: ClassVar[tuple[str, ...]] = ()
    telling: ClassVar[tuple[str, ...]] = ()
    keys: ClassVar[dict[str, tuple[str, ...]]] = {}
    replication: ClassVar[dict[str, str]] = {}
    edited: ClassVar[dict[str, int]]
    changed: ClassVar[dict[str, str]] = {}
    listed: ClassVar[tuple[str, ...]]
    broken: ClassVar[tuple[str, str]]
    slow: ClassVar[tuple[str, ...]]
    counted: ClassVar[str] = ""
    endless_doubt: ClassVar[frozenset[str]] = frozenset()
    tells_deletions: ClassVar[bool] = False
    left_out: ClassVar[dict[str, tuple[Knobs, tuple[str, ...]]]]
    nothing: ClassVar[Knobs | None] = None
    wrong: ClassVar[tuple[tuple[dict[str, Any], tuple[str, ...]], ...]]
    no_effect: ClassVar[tuple[str, Any]]
    alone: ClassVar[tuple[str, frozenset[str]]]
    deselected: ClassVar[tuple[str, ...]]
    forgotten: ClassVar[dict[str, str]]
    idle: ClassVar[dict[str, int]] = {}

    @property
    def few(self) -> dict[str, Any]:
        """A shape like that of the contract, with few records of each kind: where their number is not the point."""
        return {name: FEW if isinstance(one, int) and FEW < one < MOST else one for name, one in self.shape.items()}

    @property
    def written(self) -> tuple[str, ...]:
        """Streams, at least one of each way in which records are written."""
        return tuple(dict.fromkeys(name.partition(".")[0] for name in self.deselected))

    @abstractmethod
    def app(self, shape: dict[str, Any], **knobs: Any) -> Any:  # noqa: ANN401 - the CRM's own server
        """Return the server of an account."""

    @abstractmethod
    def differences(self, app: Any, stream: str, *runs: Run) -> dict[str, Any]:  # noqa: ANN401
        """Return how what a target holds after these runs differs from the truth; empty if it does not."""

    @abstractmethod
    def other_key(self, app: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return settings with credentials that are good, though the usual ones were revoked."""

    def add_unknown(self, app: Any) -> dict[str, Any]:  # noqa: ANN401
        """Give every record of some streams the field ``brand_new``; return its value by stream."""
        found: dict[str, Any] = {}
        for stream in self.edited:
            app.account.edit(stream, ids=app.account.ids(stream), changes={"brand_new": [1.5]})
            found[stream] = [1.5]
        return found

    def named(self, stream: str) -> str:
        """Return what the server calls a stream."""
        return stream

    def edit(self, app: Any, stream: str, count: int) -> set[Key]:  # noqa: ANN401
        """Edit records; return their keys."""
        return _keys(app.account.edit(self.named(stream), count=count))

    def create(self, app: Any, stream: str, count: int) -> set[Key]:  # noqa: ANN401
        """Create records; return their keys."""
        return _keys(app.account.create(self.named(stream), count=count))

    def delete(self, app: Any, stream: str, count: int) -> set[Key]:  # noqa: ANN401
        """Delete records; return their keys."""
        return _keys(app.account.delete(self.named(stream), count=count))

    @abstractmethod
    def drop(self, app: Any, stream: str) -> set[Key]:  # noqa: ANN401
        """Take a record out of a list that is read whole; return its key."""

    def key_of(self, stream: str) -> tuple[str, ...]:
        """Return the key of a stream."""
        return self.keys.get(stream, (self.usual_key,))

    def is_of_account(self, stream: str) -> bool:  # noqa: ARG002
        """Tell whether only the account tells of a stream."""
        return False

    def comparable(self, run: Run) -> list[str]:
        """Return all streams of a run whose truth is known here."""
        told = [stream for stream in run.schemas if self.is_of_account(stream)]
        return [*dict.fromkeys((*(self.whole or self.streams), *told))]

    def assert_complete(self, app: Any, *runs: Run, streams: Iterable[str] = ()) -> None:  # noqa: ANN401
        """Check that a target holds the truth after these runs."""
        for stream in streams or self.streams:
            assert self.differences(app, stream, *runs) == {}, stream


def living(stream: str, *runs: Run) -> dict[Key, Any]:
    """Return what a target holds of a stream after these runs, less what is marked as deleted."""
    return target_of(*runs).living(stream)


#: The runs that were asked about last, and what a target holds after them.
_LATEST: list[tuple[tuple[Run, ...], Target]] = [((), Target())]


def target_of(*runs: Run) -> Target:
    """Return a target of these runs: the same for each question of a row about the same runs. No test changes it."""
    known, _ = _LATEST[0]
    if [*map(id, runs)] != [*map(id, known)]:
        _LATEST[0] = runs, Target(*runs)
    return _LATEST[0][1]


def _keys(ids: Iterable[Any]) -> set[Key]:
    return {(one,) for one in ids}
