"""Texts in HTML: when two are the same, and what they say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from typing_extensions import override

from target_crm.kinds.base import one_spaced, same_text
from target_crm.kinds.plain import Text

_WORD = re.compile(r"\w+")
_ADDRESS = re.compile(r"https?://\S+")
#: Tags that only wrap a document.
_WRAPPERS = frozenset({"html", "head", "body"})
_BLOCKS = frozenset({"p", "div", "br", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "tr", "table"})


@dataclass(frozen=True, slots=True)
class Html(Text):
    """A text with tags; how a document is wrapped, and how its tags are written, does not count."""

    @override
    def holds(self, present: Any, wanted: Any) -> bool:
        if present is None or wanted is None:
            return present is wanted
        return bool(present == wanted or _parts(present) == _parts(wanted))


@dataclass(frozen=True, slots=True)
class HtmlWords(Text):
    """A text with tags, of which the words count, and no tag."""

    @override
    def holds(self, present: Any, wanted: Any) -> bool:
        if present is None or wanted is None:
            return present is wanted
        return plain_text(present) == plain_text(wanted)


def plain_text(html: str) -> str:
    """Return what an HTML text says, with single spaces between its words."""
    words = "".join(part[1] if part[0] == "text" else " " for part in _parts(html, spaced=True))
    return one_spaced(words)


def words_of(text: str) -> list[str]:
    """Return the words of a text, without addresses of links, marks and spaces."""
    return _WORD.findall(_ADDRESS.sub(" ", same_text(text)).casefold())


class _Reader(HTMLParser):
    def __init__(self, *, spaced: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[tuple[str, Any]] = []
        self._spaced = spaced

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _WRAPPERS and (not self._spaced or tag in _BLOCKS):
            self.parts.append(("begin", (tag, tuple(sorted((name, value or "") for name, value in attrs)))))

    @override
    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag not in _WRAPPERS and tag != "br" and (not self._spaced or tag in _BLOCKS):
            self.parts.append(("end", tag))

    @override
    def handle_data(self, data: str) -> None:
        if self._spaced:
            self.parts.append(("text", data))
        elif one_spaced(data):
            self.parts.append(("text", one_spaced(data)))


def _parts(html: str, *, spaced: bool = False) -> list[tuple[str, Any]]:
    reader = _Reader(spaced=spaced)
    reader.feed(html)
    reader.close()
    return reader.parts
