"""Which parameters Close's published operations take.

`contract.json` was made of Close's OpenAPI document (https://api.close.com/api/openapi.json, September 2026): of each
operation that reads by GET, its path, and the names of its query parameters, with spaces between. The document says of
itself that it is incomplete; what Close's other pages name besides is here.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

LISTED: Mapping[str, frozenset[str]] = {
    path: frozenset(names.split())
    for path, names in msgspec.json.decode(
        Path(__file__).with_name("contract.json").read_bytes(), type=dict[str, str]
    ).items()
}
"""The parameters by path, as the document has them; `{id}` and the like stand for a part of the path."""

_ANYWHERE = frozenset({"_fields"})
"""Taken by most operations (page "fields")."""
_ACTIVITY = LISTED["activity"] - {"_type", "_type__in", "_order_by"}
"""Lists of one type of activity take the filters of all activities (page "activities")."""
_BESIDES: Mapping[str, frozenset[str]] = {
    "activity": frozenset({"thread_emails"}),
    "connected_account": frozenset({"_type"}),  # it is ignored, as it is known to be
    "event": frozenset({"_cursor", "request_id"}),
    "lead": frozenset({"query"}),  # deprecated
}
_NOT_TAKEN: Mapping[str, frozenset[str]] = {"event": frozenset({"_skip"})}
"""What the document lists, and the page on the event log takes back."""
_PATTERNS = [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path) for path in LISTED if "{" in path]


def template_of(path: str) -> str | None:
    """Give the operation that a path belongs to; None for one that the document does not have."""
    if path in LISTED:
        return path
    return next((template for pattern, template in _PATTERNS if pattern.fullmatch(path)), None)


def parameters_of(path: str) -> frozenset[str] | None:
    """Give the names that a path takes; None where the document does not have the path."""
    template = template_of(path)
    if template is None:
        return None
    typed = _ACTIVITY if path.startswith("activity/") and template == path else frozenset()
    return (LISTED[template] | typed | _ANYWHERE | _BESIDES.get(path, frozenset())) - _NOT_TAKEN.get(path, frozenset())


def is_paged(path: str) -> bool:
    """Whether a list comes in pages; one that the document does not have does."""
    return "_limit" in LISTED.get(path, {"_limit"})
