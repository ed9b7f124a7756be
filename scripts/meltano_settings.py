"""The settings of the tap as Meltano defines them, written as YAML."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_crm.config.setting import Setting

WIDTH = 120
_DASH, _NEXT, _FOLDED = "    - ", "      ", "        "
#: What YAML reads as the same text when nothing quotes it.
_PLAIN = re.compile(r"[A-Za-z][^:#]*|[0-9T:-]{8,}|https?://[^\s#]+")


def meltano_settings(settings: Iterable[Setting]) -> str:
    """Return the entries of settings, in their order."""
    return "\n".join(line for row in settings for line in _entry(row))


def _entry(row: Setting) -> Iterator[str]:
    yield f"{_DASH}name: {row.name}"
    yield f"{_NEXT}kind: {'options' if row.options else row.kind.meltano}"
    if row.default not in (None, ()):
        yield f"{_NEXT}value: {row.default}"
    yield f"{_NEXT}label: {_scalar(row.label)}"
    yield from _text("description", row.text)
    if row.placeholder is not None:
        yield f"{_NEXT}placeholder: {_scalar(row.placeholder)}"
    if row.options:
        yield f"{_NEXT}options:"
        yield from (f"{_NEXT}- {{label: {title}, value: {name}}}" for name, title in row.options.items())
    if row.secret:
        yield f"{_NEXT}sensitive: true"


def _text(name: str, text: str) -> Iterator[str]:
    line = f"{_NEXT}{name}: {_scalar(text)}"
    if len(line) <= WIDTH:
        yield line
        return
    yield f"{_NEXT}{name}: >-"
    yield from textwrap.wrap(
        text, WIDTH, initial_indent=_FOLDED, subsequent_indent=_FOLDED, break_long_words=False, break_on_hyphens=False
    )


def _scalar(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    doubled = text.replace("'", "''")
    return f"'{doubled}'"
