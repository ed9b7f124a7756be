"""Builds of this project that are compared: this one, and another commit."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.speed.environments import ROOT, dependencies, environment
from bench.speed.running import Cost, Failed, Program, Written, written

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Ran:
    """A run of a tap: what it took, what it wrote, and why it did not end with 0, if so."""

    cost: Cost
    written: Written
    failed: str = ""


class Build:
    """A tree of sources with a Python that has what it needs, and how its tap is run.

    Args:
        name: for people.
        tree: of sources.
        python: that has what they need.
        folder: for configurations and what is written.
    """

    def __init__(self, name: str, tree: Path, python: Path, folder: Path) -> None:
        self.name, self.tree, self.python = name, tree, python
        self._folder = folder / name.replace(" ", "-")
        self._folder.mkdir()
        # what other runs sent is not known there
        self._tap = Program(python, "tap_crm", tree, {"TMPDIR": str(folder)})

    def _given(self, name: str, content: dict[str, Any] | bytes) -> str:
        path = self._folder / f"{name}.json"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return str(path)

    def discover(self, config: dict[str, Any]) -> dict[str, Any]:
        """Return the catalog of an account."""
        output = self._folder / "output"
        self._tap.run(output, "--config", self._given("config", config), "--discover")
        found: dict[str, Any] = json.loads(output.read_bytes())
        return found

    def run(
        self, config: dict[str, Any], catalog: dict[str, Any], state: bytes | None = None, reader: float | None = None
    ) -> Ran:
        """Read an account once.

        Args:
            config: of the tap.
            catalog: what is read.
            state: of an earlier run.
            reader: see :meth:`Program.run`.

        Raises:
            Failed: it does not end with 0.
        """
        output = self._folder / "output"
        words = ["--config", self._given("config", config), "--catalog", self._given("catalog", catalog)]
        if state is not None:
            words += ["--state", self._given("state", state)]
        try:
            cost = self._tap.run(output, *words, reader=reader)
        except Failed as error:
            raise Failed(f"{self.name}: {error}") from None
        return Ran(cost, written(output))


def tried(build: Build, config: dict[str, Any], catalog: dict[str, Any]) -> Ran:
    """Read an account once, by a build that may not be able to."""
    try:
        return build.run(config, catalog)
    except Failed as error:
        return Ran(Cost(0.0, 0.0, 0.0), Written(0, {}, b""), str(error))


def this_build(folder: Path) -> Build:
    """Return this build, run by the present Python."""
    return Build("this build", ROOT, Path(sys.executable), folder)


def build_of(commit: str, folder: Path) -> Build:
    """Return the build of another commit; in an environment of its own if it needs other packages than this one.

    Raises:
        NotInstalled: what it needs cannot be installed.
    """
    tree = folder / f"tree-{commit}"
    packed = subprocess.run(["git", "archive", commit], capture_output=True, check=True, cwd=ROOT).stdout  # noqa: S607 - the user's own
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(tree, filter="data")
    needed = dependencies(tree)
    same = needed == dependencies(ROOT)
    python = Path(sys.executable) if same else environment(f"commit-{commit}", needed)
    return Build(commit, tree, python, folder)


def only(catalog: dict[str, Any], wanted: Callable[[str], bool]) -> dict[str, Any]:
    """Return the catalog with some streams selected.

    Raises:
        Failed: it has none of them.
    """
    found = False
    for entry in catalog["streams"]:
        selected = wanted(entry["tap_stream_id"])
        found |= selected
        for item in entry["metadata"]:
            if item["breadcrumb"] == []:
                item["metadata"]["selected"] = selected
    if not found:
        raise Failed("the catalog has none of the streams that are to be read")
    return catalog
