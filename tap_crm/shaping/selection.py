"""Leaves deselected fields out of objects; those at the top of a record the shapers leave out themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_crm.shaping.schema import EXTRA

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: A breadcrumb of a catalog names each level by `properties` and the field.
_LEVEL = 2


class Within:
    """The fields within objects that are deselected.

    Args:
        mask: by the breadcrumb of a catalog's metadata, whether a field is selected.
    """

    def __init__(self, mask: Mapping[tuple[str, ...], bool]) -> None:
        paths = [crumbs[1::_LEVEL] for crumbs, selected in mask.items() if not selected]
        self._paths = [path for path in paths if len(path) > 1]

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return bool(self._paths)

    def leave_out(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return a record without them, also where ``_extra`` keeps a whole object that did not fit."""
        for path in self._paths:
            record = _without(record, path)
            if isinstance(record.get(EXTRA), dict):
                record = {**record, EXTRA: _without(record[EXTRA], path)}
        return record


def _without(record: dict[str, Any], path: Sequence[str]) -> dict[str, Any]:
    first, *rest = path
    if first not in record:
        return record
    if not rest:
        return {name: value for name, value in record.items() if name != first}
    inner = record[first]
    return {**record, first: _without(inner, rest)} if isinstance(inner, dict) else record
