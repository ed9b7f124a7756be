"""Checks of what a run is given, the state and the catalog, before anything is asked of the CRM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.contract.stream import AUDIT
from tap_crm.sync.state import states_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_crm.contract.stream import Provider


def check_before_asking(
    provider: Provider,
    state: object,
    selected: Sequence[str],
    endpoints: Sequence[str] = (),
) -> None:
    """Check what can be checked without knowing the account.

    Args:
        provider: the CRM.
        state: as it was given; None for none.
        selected: the streams that the catalog selects.
        endpoints: the streams that the user declared.

    Raises:
        ConfigError: the state or the catalog cannot be used.
    """
    if state is not None:
        kept = states_of(state)
        for spec in provider.streams:
            if spec.replication_key is not None and spec.name in kept:
                kept[spec.name].bookmark_at(spec.name)
    if provider.discover is None:
        declared = {AUDIT, *endpoints, *(spec.name for spec in provider.streams)}
        for name in selected:
            if name not in declared:
                raise errors.ConfigError(f"{lost_stream(name, provider)}; run discovery again")


def lost_right(name: str) -> str:
    """Return what is to be said of a stream that was loaded before and is not offered any more."""
    return (
        f"the state has the stream `{name}`, and the catalog does not: what changes in it is not loaded any more. If "
        'the key lost the right to read it, give that back; else deselect the stream, by `"selected": false` in its '
        f'entry of the catalog, or by `"!{name}.*"` in the `select` of Meltano'
    )


def lost_stream(name: str, provider: Provider) -> str:
    """Return what is to be said of a selected stream that is not there."""
    return f"the catalog selects the stream `{name}`, which {provider.title} does not have"
