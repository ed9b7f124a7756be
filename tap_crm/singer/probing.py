"""Which streams a discovery offers: each is asked once whether the key may read it.

In a Meltano project, where each run begins with a discovery, a stream that the project leaves out is not asked, and one
that could be read lately is not asked again: if it cannot be read any more, the run itself says so, by name.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.config.meltano_select import is_deselected
from tap_crm.sync.run import NOTHING_READABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_crm.singer.readable import Readable
    from tap_crm.singer.stream import CrmStream

_log = logging.getLogger("tap-crm")

PROBES_AT_ONCE = 4


def unreadable(streams: Sequence[CrmStream], known: Readable) -> list[CrmStream]:
    """Ask the streams once each; return those that the CRM refuses to give, which are not offered.

    Args:
        streams: all that there are.
        known: the streams that could be read lately; what is found out is kept there.

    Raises:
        ReadError: the CRM cannot be reached, refuses the credentials, or gives none of them.
    """
    _check_definitions(streams)
    refused = _Refusals()
    asked = [one for one in streams if not known.has(one.name) and not _is_left_out(one)]
    if not asked:
        return []
    first, *others = asked
    try:
        first.probe()  # alone: wrong credentials or a wrong address are said once, and no other stream is asked
    except errors.Forbidden as error:  # says nothing of the others
        refused.take(first, error)
    with ThreadPoolExecutor(PROBES_AT_ONCE) as pool:
        list(pool.map(refused.probe, others))
    if len(refused.streams) == len(asked) and not any(known.has(one.name) for one in streams):
        raise errors.ReadError(NOTHING_READABLE)
    known.note({one.name for one in asked} - {one.name for one in refused.streams} - refused.doubtful)
    return refused.streams


def _is_left_out(stream: CrmStream) -> bool:
    """Tell whether the Meltano project that runs the tap reads neither the stream nor a table of its arrays."""
    return all(is_deselected(one.name) for one in (stream, *stream.child_streams))


class _Refusals:
    """The streams that the CRM refuses to give; safe to add to from every thread.

    Attributes:
        streams: those that are not offered.
        doubtful: the names of those that are offered all the same.
    """

    def __init__(self) -> None:
        self.streams: list[CrmStream] = []
        self.doubtful: set[str] = set()

    def probe(self, stream: CrmStream) -> None:
        try:
            stream.probe()
        except errors.FinalWord as error:
            self.take(stream, error)

    def take(self, stream: CrmStream, error: errors.FinalWord) -> None:
        if stream.spec.declared:  # it would vanish without a word: a run has to say so
            _log.warning("stream `%s`: %s", stream.name, error)
            self.doubtful.add(stream.name)
            return
        _log.warning("stream `%s` is left out of the catalog: %s", stream.name, error)
        self.streams.append(stream)


def _check_definitions(streams: Sequence[CrmStream]) -> None:
    """Raise what kept the definitions of custom fields from being read: a catalog without them would be wrong."""
    for stream in streams:
        custom = stream.custom
        if custom is not None and custom.error is not None and not custom.is_forbidden:
            raise custom.error
