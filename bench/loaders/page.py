"""The part of docs/loaders.md that is generated: a section for each loader."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bench.loaders.compare import KINDS
from bench.loaders.targets import LOADERS

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECTION = re.compile(r"<!-- loader: (?P<name>[a-z-]+) -->\n.*?<!-- end -->\n", re.DOTALL)
_ROWS = {
    "rows": "rows of all streams",
    **{kind: kind for kind in KINDS},
    "deletions": "people that were deleted",
    "added": "a column that is added",
    "retyped": "a field of another kind: its new column",
    "composite": "keys of several columns",
    "close": "odd data of Close",
    "copera": "odd data of Copera",
}


def names_in(page: str) -> list[str]:
    """Return the loaders that a page has a section of, in its order."""
    return [found["name"] for found in _SECTION.finditer(page)]


def section(name: str, result: Mapping[str, Any]) -> str:
    """Return the section of one loader."""
    lines = [f"<!-- loader: {name} -->", "", f"### {result['title']}", "", f"`{result['packages']}`"]
    if result["advice"]:
        lines[-1] += f"; {result['advice']}."
    if "untried" in result:
        lines += ["", f"**Not tried:** {result['untried']}."]
    elif "fails" in result:
        lines += ["", f"**Does not load:** {result['fails']}."]
    else:
        lines += ["", "| what | arrives |", "| --- | --- |"]
        lines += [f"| {title} | {result[key]} |" for key, title in _ROWS.items() if key in result]
    return "\n".join([*lines, "", "<!-- end -->", ""])


def written(page: str, results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a page with the sections of these loaders made anew; the others stay, in the order of the list."""
    held = {found["name"]: found[0] for found in _SECTION.finditer(page)}
    held |= {name: section(name, result) for name, result in results.items()}
    start = page.index("<!-- loaders -->\n") + len("<!-- loaders -->\n")
    rest = page[start:]
    end = rest.index("<!-- end of loaders -->")
    body = "\n".join(held[loader.name] for loader in LOADERS if loader.name in held)
    return f"{page[:start]}\n{body}\n{rest[end:]}"
