"""Who may import whom: imports run downward, and no module stands in a circle."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "tap_crm"
GROUND = {"errors", "ledger", "messages"}
#: What each folder may import of the others; imports for types count too.
ALLOWED = {
    "config": {"errors"},
    "contract": {*GROUND, "config", "reading", "shaping", "transport"},
    "transport": {"errors", "ledger", "config"},
    "journal": {"errors", "config", "storage"},
    "reading": {*GROUND, "shaping"},
    "shaping": {"errors", "config", "contract"},
    "sync": {*GROUND, "config", "contract", "reading", "shaping", "transport"},
    "providers": {*GROUND, "config", "contract", "reading", "shaping", "transport", "sync"},
    "singer": {
        *GROUND,
        "config",
        "contract",
        "inbox",
        "journal",
        "providers",
        "reading",
        "shaping",
        "sync",
        "transport",
    },
    "audit": {"errors", "config", "contract", "shaping", "singer"},
    "report": {"errors", "audit", "contract", "journal", "providers", "shaping", "storage", "sync", "transport"},
    "call": {*GROUND, "config", "contract", "providers", "sync", "transport"},
    "storage": {"config"},
    "load": {"errors", "config", "contract"},
    "inbox": {"errors", "ledger", "config", "contract", "providers", "storage", "transport"},
    "watch": {*GROUND, "config", "contract", "inbox", "providers", "transport"},
    "__main__": {"singer"},
}
#: The modules of a server of the sandbox, the lowest first; others lie between them.
SERVER = (
    {"shape", "behaviour"},
    {"samples"},
    {"records"},
    {
        "changes",
        "field_changes",
        "field_values",
        "merges",
        "row_changes",
        "list_changes",
        "schema_changes",
        "text_changes",
    },
    {"account", "organization", "workspace"},
    {"service", "writes"},
    {"reading", "writing"},
    {"routes"},
    {"sandbox"},
)


#: What the target may use of the tap: how a CRM is asked and what it has, never how a run of the tap goes.
TARGET = {*GROUND, "config", "contract", "journal", "transport", "providers", "shaping", "storage"}
#: What each folder of the target may import of the others.
IN_TARGET = {
    "contract": {"config", "kinds"},
    "config": set(),
    "kinds": {"contract"},
    "journal": {"config"},
    "report": {"journal"},
    "clock": set(),
    "sync": {"clock", "config", "contract", "journal", "kinds", "report"},
    "writers": {"config", "contract", "kinds"},
    "singer": {"clock", "config", "contract", "journal", "report", "sync", "writers"},
    "journal_command": {"config", "journal", "singer", "sync"},
    "__main__": {"singer"},
}


@cache
def imports(package: str = "tap_crm") -> dict[str, set[str]]:
    """Return what each module of a package imports of the others, by their names below it."""
    root = ROOT.parent / package
    names = {_name(path, root): path for path in root.rglob("*.py")}
    found: dict[str, set[str]] = {}
    for name, path in names.items():
        nodes = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.ImportFrom)]
        modules = [(node.module or "", node.names) for node in nodes]
        own = [(_below(module), aliases) for module, aliases in modules if module.partition(".")[0] == package]
        asked = {(f"{module}.{alias.name}".lstrip("."), module) for module, aliases in own for alias in aliases}
        found[name] = {longer if longer in names else module for longer, module in asked} - {""}
    return found


def _below(module: str) -> str:
    return module.partition(".")[2]


def _name(path: Path, root: Path = ROOT) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("folder", ALLOWED)
def test_a_folder_imports_only_what_lies_below_it(folder: str) -> None:
    """What it may import is written down here."""
    reached = {
        other.partition(".")[0]
        for name, others in imports().items()
        if name.partition(".")[0] == folder
        for other in others
    }
    assert reached - {folder} <= ALLOWED[folder]


def test_only_the_ground_lies_loose() -> None:
    """Whoever looks for a module finds its folder by name."""
    assert {path.stem for path in ROOT.glob("*.py")} == {"__init__", "__main__", *GROUND}


def circles(graph: dict[str, set[str]]) -> set[frozenset[str]]:
    """Find the modules that import each other, directly or by way of others."""

    def reach(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            for other in graph.get(waiting.pop(), set()) - seen:
                seen.add(other)
                waiting.append(other)
        return seen

    reached = {name: reach(name) for name in graph}
    return {frozenset(b for b in reached[a] if a in reached.get(b, set())) for a in graph if a in reached[a]}


def test_no_module_stands_in_a_circle() -> None:
    """Imports for types count, too."""
    assert circles(imports()) == set()


def test_no_module_of_the_sandbox_stands_in_a_circle() -> None:
    """Data lies below what changes it, and that below what answers requests; imports for types count, too."""
    assert circles(imports("sandbox")) == set()


@pytest.mark.parametrize("crm", ["copper", "close", "copera"])
def test_a_server_of_the_sandbox_imports_only_what_lies_below(crm: str) -> None:
    """So that who adds a route or a change finds its place, in all three."""
    floors = {f"{crm}.{name}": floor for floor, names in enumerate(SERVER) for name in names}
    seen = set()
    for name, others in imports("sandbox").items():
        here = ".".join(name.split(".")[:2])
        seen |= {floors[here]} if here in floors else set()
        above = {
            other for other in others if floors.get(".".join(other.split(".")[:2]), 0) > floors.get(here, len(SERVER))
        }
        assert not above, name
    assert seen == set(range(len(SERVER)))


@pytest.mark.parametrize("crm", ["copper", "close", "copera"])
def test_a_server_of_the_sandbox_imports_nothing_of_another(crm: str) -> None:
    """What two of them need stands once, beside them."""
    folders = {path.parent.name for path in (ROOT.parent / "sandbox").glob("*/sandbox.py")}
    assert crm in folders
    reached = {
        other.partition(".")[0]
        for name, others in imports("sandbox").items()
        if name.partition(".")[0] == crm
        for other in others
    }
    assert not reached & (folders - {crm})


def test_the_sandbox_imports_nothing_of_the_tap() -> None:
    """It is made from the CRMs' documentation alone, so that it cannot repeat a mistake of the tap."""
    users = [path for path in (ROOT.parent / "sandbox").rglob("*.py") if "tap_crm" in path.read_text("utf-8")]
    assert users == []


def test_only_one_folder_knows_the_sdk() -> None:
    """Its names change: nothing else may depend on them, not even for types."""
    users = {
        _name(path).partition(".")[0]
        for path in ROOT.rglob("*.py")
        if "singer_sdk" in path.read_text("utf-8") and "from singer_sdk" in path.read_text("utf-8")
    }
    assert users == {"singer"}


def test_the_tap_uses_nothing_of_the_target() -> None:
    """What both need of a journal stands in the tap's package."""
    assert [
        path for path in ROOT.rglob("*.py") if re.search(r"(from|import) target_crm", path.read_text("utf-8"))
    ] == []


def test_the_target_uses_of_the_tap_what_is_not_its_reading() -> None:
    """So that each can change without the other."""
    used = {
        (node.module or "").split(".")[1]
        for path in (ROOT.parent / "target_crm").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tap_crm.")
    }
    assert used <= TARGET


@pytest.mark.parametrize("folder", IN_TARGET)
def test_a_folder_of_the_target_imports_only_what_lies_below_it(folder: str) -> None:
    """What it may import is written down here."""
    found = {name: others for name, others in imports("target_crm").items() if name.partition(".")[0] == folder}
    assert found
    reached = {other.partition(".")[0] for others in found.values() for other in others}
    assert reached - {folder} <= IN_TARGET[folder]


def test_only_one_folder_of_the_target_knows_the_sdk() -> None:
    """Its names change."""
    root = ROOT.parent / "target_crm"
    users = {_name(path, root) for path in root.rglob("*.py") if "from singer_sdk" in path.read_text("utf-8")}
    assert {name.partition(".")[0] for name in users} == {"singer"}
