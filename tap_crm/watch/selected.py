"""Which streams a run reads, as far as that is known without the account: what is watched are some of these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_crm.config.meltano_select import is_deselected

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_crm.contract.stream import StreamSpec


def selected_streams(streams: Iterable[StreamSpec], catalog: Mapping[str, Any] | None) -> list[StreamSpec]:
    """Return the streams that a catalog selects; without one, those that are read unless somebody says otherwise."""
    if catalog is None:
        return [spec for spec in streams if spec.selected and not is_deselected(spec.name)]
    names = {str(entry.get("tap_stream_id") or entry.get("stream")) for entry in _entries(catalog) if _selects(entry)}
    return [spec for spec in streams if spec.name in names]


def _entries(catalog: Mapping[str, Any]) -> list[dict[str, Any]]:
    entries = catalog.get("streams")
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _selects(entry: Mapping[str, Any]) -> bool:
    """Tell whether an entry of a catalog selects its stream (hub.meltano.com: Singer spec, metadata)."""
    metadata = entry.get("metadata")
    for part in metadata if isinstance(metadata, list) else []:
        if isinstance(part, dict) and not part.get("breadcrumb"):
            said = part.get("metadata") or {}
            return bool(said.get("selected", said.get("selected-by-default", False)))
    return bool(entry.get("selected", False))
