"""What the site of the documentation needs of MkDocs: pages from outside of `docs`, and links that leave it.

MkDocs calls the functions by their names (`hooks` in mkdocs.yml). Links are written for a checkout and for a forge, and
are tested as such; here, those to the root's pages lead to copies, and those to other files are text, since a site has
no checkout.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.nav import Page

ROOT = Path(__file__).resolve().parents[1]
#: Pages of the root, and what they are on the site.
PAGES = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
#: The front page of a checkout; the site has its own.
FRONT = "README.md"
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that lie outside of the folder."""
    from mkdocs.structure.files import File  # noqa: PLC0415 - tests import this without MkDocs

    for name, page in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / name).read_text("utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - MkDocs names them
    """Let links lead to where things are on the site."""
    is_of_root = page.file.src_uri in PAGES.values()
    return _LINK.sub(lambda match: moved(match[1], match[2], is_of_root=is_of_root), markdown)


def moved(text: str, link: str, *, is_of_root: bool) -> str:
    """Return a link as the site has it; its text alone if it leads to a file that the site has not.

    Args:
        text: of the link.
        link: as the page has it.
        is_of_root: the page lies in the root of the checkout, and not in `docs`.
    """
    path, mark, anchor = link.partition("#")
    if "://" in link or not path:
        return f"[{text}]({link})"
    if is_of_root:
        inside = path.removeprefix("docs/") if path.startswith("docs/") else PAGES.get(path)
    else:
        inside = PAGES.get(path.removeprefix("../")) if path.startswith("../") else path
    if inside is None and path.removeprefix("../") == FRONT:
        inside = "README.md"
    return text if inside is None else f"[{text}]({inside}{mark}{anchor})"
