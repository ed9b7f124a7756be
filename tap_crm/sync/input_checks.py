"""Checks of what a run is given, the state and the catalog, before anything is asked of the CRM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.contract.stream import AUDIT
from tap_crm.sync.state import states_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_crm.contract.stream import Provider
    from tap_crm.sync.state import StreamState


def check_before_asking(
    provider: Provider,
    state: object,
    selected: Sequence[str],
    endpoints: Sequence[str] = (),
    *,
    account_column: str | None = None,
) -> None:
    """Check what can be checked without knowing the account.

    Args:
        provider: the CRM.
        state: as it was given; None for none.
        selected: the streams that the catalog selects.
        endpoints: the streams that the user declared.
        account_column: the column with the account's id; None for none.

    Raises:
        ConfigError: the state or the catalog cannot be used.
    """
    if state is not None:
        kept = states_of(state)
        for spec in provider.streams:
            if spec.replication_key is not None and spec.name in kept:
                kept[spec.name].bookmark_at(spec.name)
        _check_account_column(account_column, kept)
    if provider.discover is None:
        declared = {AUDIT, *endpoints, *(spec.name for spec in provider.streams)}
        for name in selected:
            if name not in declared and name.partition("__")[0] not in declared:
                raise errors.ConfigError(f"{lost_stream(name, provider)}; run discovery again")


def _check_account_column(column: str | None, kept: Mapping[str, StreamState]) -> None:
    """Check that the rows which the target has got the same primary key as those to come.

    Else each record would be there twice, or the rows of earlier runs would have no account.
    """
    for name, one in kept.items():
        if one.was_loaded and one.account_column != column:
            had = "without `account_column`" if one.account_column is None else f"with `{one.account_column}`"
            raise errors.ConfigError(
                f"the setting `account_column`: the state is of rows that were loaded {had}, such as those of "
                f"`{name}`; leave it as it was, or load everything anew (`--full-refresh`) into tables of their own"
            )


def lost_right(name: str) -> str:
    """Return what is to be said of a stream that was loaded before and is not offered any more."""
    return (
        f"the state has the stream `{name}`, and the catalog does not: what changes in it is not loaded any more. If "
        'the key lost the right to read it, give that back; else deselect the stream, by `"selected": false` in its '
        f'entry of the catalog, or by `"!{name}.*"` in the `select` of Meltano'
    )


def lost_child_table(name: str) -> str:
    """Return what is to be said of a selected child table that is not there."""
    return (
        f"the catalog selects the child table `{name}`, which is none: the setting `child_tables` does not name its "
        "array, or there is none"
    )


def lost_stream(name: str, provider: Provider) -> str:
    """Return what is to be said of a selected stream that is not there."""
    return f"the catalog selects the stream `{name}`, which {provider.title} does not have"
