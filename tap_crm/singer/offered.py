"""Whether what the catalog selects, and what earlier runs loaded, is still there to be read."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tap_crm.config.meltano_select import is_deselected
from tap_crm.sync.input_checks import lost_right, lost_stream

if TYPE_CHECKING:
    from collections.abc import Collection

    from singer_sdk.singerlib import Catalog

    from tap_crm.sync.run import Run

_log = logging.getLogger("tap-crm")


def selected_in(catalog: Catalog | None) -> list[str]:
    """Return the names of the streams that a catalog selects."""
    return [name for name, entry in (catalog or {}).items() if entry.metadata.root.selected]


def note_what_is_missing(run: Run, catalog: Catalog | None, offered: Collection[str]) -> None:
    """Note, as failures of the run, the streams that it should read and cannot; the others are read.

    Args:
        run: the run.
        catalog: as it was given; None for none.
        offered: the names of the streams that there are.
    """
    for name in selected_in(catalog):
        if name not in offered:  # where the account makes the streams, one may have been renamed, deleted or hidden
            run.failures[name] = lost_stream(name, run.provider)
            _log.error("%s: renamed, deleted, or hidden from this key; run discovery again", run.failures[name])
    for name in sorted(run.loaded_before):
        _check_loaded(run, catalog, offered, name)


def _check_loaded(run: Run, catalog: Catalog | None, offered: Collection[str], name: str) -> None:
    """Note that a stream which an earlier run loaded would not be read, though nobody deselected it."""
    if name not in offered:
        if name not in run.failures:
            _log.warning("the state has the stream `%s`, which is not there any more; its rows stay", name)
    elif catalog is not None and catalog.get_stream(name) is None and not is_deselected(name):
        run.failures[name] = lost_right(name)
        _log.error("%s", run.failures[name])
