"""Checks of what a run is given, the state and the catalog, before anything is asked of the CRM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_crm import errors
from tap_crm.config.kinds import parse_moment
from tap_crm.contract.stream import AUDIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk.singerlib import Catalog

    from tap_crm.contract.stream import Provider

NO_STATE = 'the state is no Singer state; it looks like {"bookmarks": {"<stream>": {...}}}'


def plain_state(state: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return the state in what people have at hand: a STATE line, or what ``meltano state get`` prints.

    Raises:
        ConfigError: it is something else than a Singer state.
    """
    if state is None:
        return None
    if isinstance(state, dict) and "bookmarks" not in state:
        if state.get("type") == "STATE":
            state = state.get("value")
        elif "singer_state" in state:
            state = state["singer_state"]
    checked_bookmarks(state)
    return state


def check_before_asking(
    provider: Provider,
    state: Any,  # noqa: ANN401 - any JSON
    catalog: Catalog | None,
    endpoints: Sequence[str] = (),
) -> None:
    """Check what can be checked without knowing the account; ``endpoints`` are the streams that the user declared.

    Raises:
        ConfigError: the state or the catalog cannot be used.
    """
    if state is not None:
        bookmarks = checked_bookmarks(state)
        for spec in provider.streams:
            if spec.replication_key is not None:
                parse_bookmark(spec.name, bookmarks.get(spec.name, {}).get("replication_key_value"))
    if provider.discover is None:
        declared = {AUDIT, *endpoints, *(spec.name for spec in provider.streams)}
        for name, entry in (catalog or {}).items():
            if name not in declared and entry.metadata.root.selected:
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


def checked_bookmarks(state: Any) -> dict[str, dict[str, Any]]:  # noqa: ANN401 - any JSON
    """Return the bookmarks of a state.

    Raises:
        ConfigError: it has not the form of a Singer state.
    """
    bookmarks = state.get("bookmarks", None if state else {}) if isinstance(state, dict) else None
    if not isinstance(bookmarks, dict) or not all(isinstance(value, dict) for value in bookmarks.values()):
        raise errors.ConfigError(NO_STATE)
    return bookmarks


def parse_bookmark(stream: str, value: Any) -> int | None:  # noqa: ANN401 - any JSON
    """Return a bookmark of the state in epoch seconds, None for none.

    Raises:
        ConfigError: it is no time.
    """
    if value is None:
        return None
    try:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return int(value) if is_number else parse_moment(str(value))
    except (ValueError, OverflowError):
        raise errors.ConfigError(
            f"the state's bookmark of stream `{stream}` is no ISO 8601 time; mend it or remove it"
        ) from None
