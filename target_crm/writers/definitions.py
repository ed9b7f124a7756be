"""What an account has: users, stages, options of custom fields; read once per run, by the tap's own sources."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from tap_crm.contract.account_mark import account_mark
from tap_crm.contract.once_per_run import OncePerRun
from tap_crm.contract.stream import Reading
from tap_crm.errors import FinalWord
from tap_crm.ledger import Ledger
from tap_crm.messages import Page
from target_crm.kinds.options import Choice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tap_crm.config.settings import Settings
    from tap_crm.contract.stream import Provider, StreamSpec
    from tap_crm.messages import Item
    from tap_crm.shaping.custom.fields import CustomField
    from tap_crm.transport.question import Question, Reply
    from tap_crm.transport.session import Transport

    #: Asks a question, and parses its answer.
    Ask: TypeAlias = Callable[[Question, Callable[[Reply], Any]], Any]

T = TypeVar("T")
_log = logging.getLogger("target-crm")
#: Spans of time that a complete read walks at once.
LANES = 4


class Definitions:
    """The definitions of an account.

    Args:
        provider: the CRM.
        settings: of the connection.
        transport: opens the way to the CRM when it is needed first.
    """

    def __init__(self, provider: Provider, settings: Settings, transport: Callable[[], Transport]) -> None:
        self._provider = provider
        self._settings = settings
        self._transport = transport
        self.once_per_run = OncePerRun()

    def ask(self, question: Question, parse: Callable[[Reply], T]) -> T:
        """Ask the CRM; raises what :meth:`Transport.ask` does."""
        return self._transport().ask(question, parse, Ledger())

    def accounts(self) -> list[str]:
        """Return a mark of each account that the credentials may stand for: mostly one, none where they may not ask.

        Raises:
            ReadError: the CRM did not answer.
        """
        identity = self._provider.identity
        if identity is None:
            return []
        try:
            found = identity.ask(self.reading(identity.stream))
        except FinalWord as refusal:
            _log.info("which account this is could not be found out: %s", refusal)
            return []
        return [account_mark(self._provider.name, one) for one in found]

    def records(self, stream: str) -> list[dict[str, Any]]:
        """Return all records of one of the tap's streams, as the API has them."""

        def read() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = []
            self.each(stream, found.extend)
            return found

        return self.once_per_run.get(("definitions", stream), read)

    def each(self, stream: str, take: Callable[[Sequence[dict[str, Any]]], None]) -> None:
        """Read one of the tap's streams completely, and hand over its records as they come, page by page.

        Raises:
            ReadError: it could not be read completely.
        """
        spec = self.spec(stream)

        spec.source.read(self._reading(spec, _taking(take)))

    def choices(self, stream: str, *labels: str, within: str = "") -> Callable[[], Sequence[Choice]]:
        """Return what returns the records of a stream as choices.

        Args:
            stream: its name.
            labels: the fields that have their labels.
            within: the field that has the id of what they belong to.
        """

        def read() -> Sequence[Choice]:
            return [
                Choice(
                    record["id"],
                    tuple(str(record[label]) for label in labels if record.get(label)),
                    record.get(within),
                )
                for record in self.records(stream)
            ]

        return lambda: self.once_per_run.get(("choices", stream, labels, within), read)

    def custom_fields(self, stream: str, *, as_far_as_readable: bool = False) -> Sequence[CustomField]:
        """Return the custom fields of a stream.

        Args:
            stream: its name.
            as_far_as_readable: lists of definitions that the CRM refuses for good are left out, as a plan may have
                none of them.

        Raises:
            ReadError: the key may not read them.
        """
        spec = self.spec(stream)
        if spec.custom is None:
            return ()
        fields, error = spec.custom.definitions(self._reading(spec, lambda _: None))
        if error is not None and not (as_far_as_readable and isinstance(error, FinalWord)):
            raise error
        return fields

    def reading(self, stream: str, take: Callable[[Sequence[dict[str, Any]]], object] = len) -> Reading:
        """Return what the tap's own ways to read need, for one of its streams; what they emit is handed over."""
        return self._reading(self.spec(stream), _taking(take))

    def spec(self, stream: str) -> StreamSpec:
        """Return the tap's stream of this name."""
        return next(spec for spec in self._provider.streams if spec.name == stream)

    def _reading(self, spec: StreamSpec, emit: Callable[[Item], None]) -> Reading:
        return Reading(
            spec=spec,
            transport=self._transport(),
            settings=self._settings,
            since=None,
            emit=emit,
            ledger=Ledger(),
            lanes=LANES,
            once_per_run=self.once_per_run,
        )


def labels_of(options: Iterable[tuple[Any, str]]) -> list[Choice]:
    """Return options, given as pairs of id and label, as choices."""
    return [Choice(key, (label,)) for key, label in options]


def _taking(take: Callable[[Sequence[dict[str, Any]]], object]) -> Callable[[Item], None]:
    """Return what hands over the records of pages that are emitted."""

    def emit(item: Item) -> None:
        if isinstance(item, Page):
            take(item.decoded())

    return emit
