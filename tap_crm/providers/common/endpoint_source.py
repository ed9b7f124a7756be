"""The records of an endpoint that a user declared, read completely."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.contract.memory import Memory
from tap_crm.messages import Checkpoint, Page
from tap_crm.providers.common.endpoint_answers import Asker, Found
from tap_crm.providers.common.endpoint_lists import Cursors, OneAnswer, Pages, Positions
from tap_crm.providers.common.per_parent import ledger_of_parents, side_by_side
from tap_crm.reading.changes import BEHIND_THE_CLOCK
from tap_crm.reading.cursor import CursorReader
from tap_crm.reading.offset import OffsetReader
from tap_crm.reading.pages_backwards import BackwardReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_crm.config.endpoints import Endpoint
    from tap_crm.contract.stream import EndpointRules, PagingParams, Reading, StreamSpec
    from tap_crm.ledger import Ledger
    from tap_crm.messages import Emit, Item


def _never(_: int) -> bool:
    """Tell that no number of records is too small."""
    return False


@dataclass(frozen=True, slots=True)
class EndpointSource:
    """The records of an endpoint.

    Attributes:
        params: by what its list goes on; None for a list in one answer.
        parent: the stream whose records it is asked for, one by one; None where it is one list.
    """

    endpoint: Endpoint
    rules: EndpointRules
    params: PagingParams | None = None
    parent: StreamSpec | None = None

    def read(self, reading: Reading) -> None:
        """Read the list, or the lists of all parents."""
        if self.parent is not None:
            self._read_children(reading, self.parent)
            return
        asker = Asker(self.endpoint, self.rules, reading, reading.since)
        lists = reading.lists
        is_short = lists.is_short if reading.since is None else _never
        self._walk(asker, reading.emit, reading.ledger, confirm_empty=lists.is_doubtful(), is_short=is_short)
        if self.endpoint.replication_key is not None:
            reading.emit(Checkpoint(int(asker.began) - BEHIND_THE_CLOCK))

    def probe(self, reading: Reading) -> None:
        """Ask for the first page; of the parents, where there are any."""
        if self.parent is not None:
            self.parent.source.probe(replace(reading, spec=self.parent))
        else:
            Asker(self.endpoint, self.rules, reading, None).ask(
                {} if self.params is None else {self.params.size_param: 1}
            )

    def _walk(
        self,
        asker: Asker,
        emit: Emit,
        ledger: Ledger,
        *,
        confirm_empty: bool,
        is_short: Callable[[int], bool],
    ) -> None:
        kind = self.endpoint.paging.kind
        if self.params is None:
            OffsetReader(OneAnswer(asker), emit, ledger, confirm_empty, is_short=is_short).read()
        elif kind == "skip":
            OffsetReader(Positions(asker, self.params), emit, ledger, confirm_empty, is_short=is_short).read()
        elif kind == "cursor":
            CursorReader(Cursors(asker, self.params), emit, ledger, confirm_empty, is_short).read()
        else:
            BackwardReader(Pages(asker, self.params), emit, ledger).read()

    # One list for each parent

    def _read_children(self, reading: Reading, parent: StreamSpec) -> None:
        """Ask for the children of every record of the parent stream, as these come.

        Raises:
            NotThere: the path answers 404 for every parent.
        """
        above = self.endpoint.parent
        assert above is not None  # noqa: S101 - there is a parent
        found = Found()

        def children(value: object) -> None:
            asker = Asker(self.endpoint, self.rules, reading, None, value, found)
            try:
                self._walk(asker, reading.emit, reading.ledger, confirm_empty=False, is_short=_never)
            except errors.NotThere as error:
                if found.is_never_there():
                    raise errors.NotThere(
                        f"{reading.spec.name}: {self.endpoint.path} does not exist for any record of {parent.name}; "
                        "check `path` and the `field` of `parent`",
                        said=error.said,
                    ) from None

        with ledger_of_parents(reading, parent.name) as own, side_by_side(reading, children) as asking:

            def take(item: Item) -> None:
                records = item.decoded() if isinstance(item, Page) else ()
                for _ in asking.each(found.new_values(records, above.field, parent.name)):
                    pass

            parent.source.read(
                replace(
                    reading,
                    spec=parent,
                    since=None,
                    bookmark=None,
                    emit=take,
                    ledger=own,
                    memory=Memory(),
                    fields=frozenset({*parent.primary_key, above.field}),
                    concludes=True,
                )
            )
