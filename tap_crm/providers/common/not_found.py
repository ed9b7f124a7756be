"""Whether a 404 says that a record is deleted: only in words that are a CRM's own."""

from __future__ import annotations

#: What proxies and wrong addresses answer has no explanation, or another one.
_WORDS = ("not found", "not exist", "been deleted", "no such")


def says_not_found(said: str) -> bool:
    """Tell whether the words of a refusal mean that there is no such record; none at all do not."""
    return any(words in said.lower() for words in _WORDS)
