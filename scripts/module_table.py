"""The modules of the packages that are shipped, each with the first line of its docstring."""

from __future__ import annotations

import ast
import tomllib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Of the folders in it, one for each CRM, only the docstring of the package is in the table.
PROVIDERS, COMMON = ("providers", "writers"), "common"


def module_table(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the path of each package and module below it, and what its docstring says first.

    Args:
        root: the folder of the project.

    Raises:
        ValueError: a module has no docstring.
    """
    built = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]
    for package in built["targets"]["wheel"]["packages"]:
        yield from _below(root, root / package)


def _below(root: Path, folder: Path) -> Iterator[tuple[str, str]]:
    yield f"`{folder.relative_to(root).as_posix()}/`", _first_line(folder / "__init__.py")
    if folder.parent.name in PROVIDERS and folder.name != COMMON:
        return
    for path in sorted(folder.glob("*.py")):
        if not path.name.startswith("__"):
            yield f"`{path.relative_to(root).as_posix()}`", _first_line(path)
    for path in sorted(folder.iterdir()):
        if (path / "__init__.py").exists():
            yield from _below(root, path)


def _first_line(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8")))
    if docstring is None:
        raise ValueError(f"{path} has no docstring")
    return docstring.partition("\n")[0]
