"""Texts that records have in two forms: plain, and as HTML."""

from __future__ import annotations

import re
from html import escape, unescape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.exchange import Record

_BREAK = re.compile(r"<br\s*/?>|</(?:p|li|h[1-6]|div)>\s*(?=<)", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")


def html_of(plain: str) -> str:
    """Write a plain text as HTML, a paragraph for each line."""
    return "<body>" + "".join(f"<p>{escape(line, quote=False)}</p>" for line in plain.split("\n")) + "</body>"


def plain_of(html: str) -> str:
    """Give the text of HTML."""
    return unescape(_TAG.sub("", _BREAK.sub("\n", html))).strip("\n")


def both_notes(given: Record) -> Record:
    """Give both forms of a note; the HTML decides where both were sent."""
    if "note_html" in given:
        html = given["note_html"]
        return {"note_html": html, "note": None if html is None else plain_of(html)}
    if "note" in given:
        note = given["note"]
        return {"note": note, "note_html": None if note is None else html_of(note)}
    return {}
