"""Environments that are made once and kept below `.venvs`: of other tools, and of another commit."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[2]
VENVS = ROOT / ".venvs" / "speed"


class NotInstalled(Exception):  # noqa: N818 - that part of the tables is left out
    """Packages cannot be installed."""


def environment(name: str, packages: Sequence[str]) -> Path:
    """Return the Python of an environment that has these packages; make it unless it is there.

    Raises:
        NotInstalled: it cannot be made.
    """
    folder = VENVS / name
    python, stamp = folder / "bin" / "python", folder / "made-from"
    made_from = "\n".join([str(folder), sys.version, *packages])
    if stamp.exists() and stamp.read_text("utf-8") == made_from:
        return python
    _do([sys.executable, "-m", "venv", "--clear", str(folder)])
    uv = Path(sys.executable).with_name("uv")
    if uv.exists():
        _do([str(uv), "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python), *packages])
    else:
        _do([str(python), "-m", "pip", "install", "--quiet", *packages])
    stamp.write_text(made_from, "utf-8")
    return python


def _do(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise NotInstalled(lines[-1][:160] if lines else "no word why")


def dependencies(tree: Path) -> list[str]:
    """Return what a checkout of this project needs."""
    project = tomllib.loads((tree / "pyproject.toml").read_text("utf-8"))["project"]
    return [str(one) for one in project["dependencies"]]
