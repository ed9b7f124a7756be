"""What contributors are told to run is there, and runs what the tests run."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import os
import re
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tap_crm.contract.stream import StreamSpec
from tap_crm.providers import PROVIDERS, register
from tests.contract.crms import CRMS
from tests.pebble.provider import PROVIDER as PEBBLE
from tests.singer import environment, execute
from tests.started import run

ROOT = Path(__file__).resolve().parents[2]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
HOOKS = ROOT / ".pre-commit-config.yaml"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "docs" / "first-change.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_scripts_that_a_page_names_can_be_run(page: Path) -> None:
    named = set(re.findall(r"\./(scripts/\w+)", page.read_text("utf-8")))
    assert named
    assert {name for name in named if not os.access(ROOT / name, os.X_OK)} == set()


def test_the_hooks_before_a_commit_are_valid() -> None:
    command = [sys.executable, "-m", "pre_commit", "validate-config", str(HOOKS)]
    done = run(command, folder=ROOT)
    assert done.returncode == 0, done.stdout.decode()


def test_the_hooks_before_a_commit_check_what_the_tests_check_by_the_same_tools() -> None:
    hooks: list[dict[str, Any]] = [
        hook for repo in yaml.safe_load(HOOKS.read_text("utf-8"))["repos"] for hook in repo["hooks"]
    ]
    assert {hook["language"] for hook in hooks} == {"system"}
    entries = [hook["entry"].split() for hook in hooks]
    assert {entry[0] for entry in entries} == {"./scripts/run"}
    checked = re.findall(r"^ *check (\w+.*)$", (ROOT / "scripts" / "environment.sh").read_text("utf-8"), re.MULTILINE)
    assert {line.split()[0] for line in checked} == {"ruff", "mypy", "python"}
    assert {entry[1] for entry in entries} == {"ruff", "mypy", "python"}


def section(title: str) -> str:
    """Return what stands under a heading."""
    return CONTRIBUTING.partition(f"## {title}\n")[2].partition("\n## ")[0]


def steps() -> list[tuple[str, str, str]]:
    """Return the steps by which a CRM joins: what, where for a CRM of the tap, where for Pebble."""
    rows = [line.strip("| ").split(" | ") for line in section("To add a CRM").splitlines() if line.startswith("| ")]
    found = [(what, of_the_tap, of_pebble) for what, of_the_tap, of_pebble in rows if "`" in of_the_tap]
    assert len(found) == 6
    return found


def path_in(cell: str) -> str:
    found = re.search(r"`([^`]+)`", cell)
    assert found is not None, cell
    return found[1]


@pytest.mark.parametrize("crm", ["copper", "close", "copera"])
def test_each_step_to_add_a_crm_was_taken_by_each_crm(crm: str) -> None:
    assert [
        place for _, cell, _ in steps() if not (ROOT / (place := path_in(cell).replace("<crm>", crm))).exists()
    ] == []
    assert {f"docs/{crm}.md", f"scripts/demo_{crm}.py"} == {
        name.replace("<crm>", crm)
        for name in re.findall(r"`((?:docs|scripts)/[^`]*<crm>[^`]*)`", section("To add a CRM"))
        if (ROOT / name.replace("<crm>", crm)).exists()
    }


def test_each_step_to_add_a_crm_was_taken_by_pebble() -> None:
    assert [path_in(cell) for _, _, cell in steps() if not (ROOT / path_in(cell)).exists()] == []


def test_a_crm_joins_by_one_line_of_the_same_form() -> None:
    lines = [(ROOT / path_in(cell)).read_text("utf-8") for _, _, cell in steps()[1:2]]
    lines.append((ROOT / path_in(steps()[1][1])).read_text("utf-8"))
    assert re.findall(r"^register\(([\w.]+)\)$", lines[0], re.MULTILINE) == ["PROVIDER"]
    offered = re.findall(r'^PROVIDERS.offer\("(\w+)", Later\("(\w+)", (\w+), "([\w.]+)"\)\)$', lines[1], re.MULTILINE)
    assert offered == [
        (name, crm.title, crm.settings and crm.settings.__name__, f"tap_crm.providers.{name}.provider")
        for name, crm in PROVIDERS.items()
    ]


def test_the_contract_is_kept_by_every_crm_and_by_pebble() -> None:
    assert CRMS.keys() == {*PROVIDERS, PEBBLE.name}


def test_every_stream_of_pebble_has_its_schema() -> None:
    files = {path.stem for path in (ROOT / path_in(steps()[2][2])).glob("*.json")}
    assert files == {spec.name for spec in PEBBLE.streams}


def test_another_crm_of_the_same_name_is_refused() -> None:
    with pytest.raises(ValueError, match="a provider `close` already"):
        register(replace(PEBBLE, name="close"))


def test_only_a_registered_crm_can_be_read() -> None:
    def says(module: str) -> str:
        command = [sys.executable, "-m", module, "--config", "ENV"]
        done = execute(command, {**environment(), "TAP_CRM_PROVIDER": "pebble"}, 60)
        assert done.returncode == 1
        return done.stderr.decode()

    assert "`provider` is not known" in says("tap_crm")
    assert "`api_key` is missing; make one in Pebble" in says("tests.pebble")


def test_what_a_stream_may_declare_is_what_contributors_are_told() -> None:
    told = set(re.findall(r"^   \| `(\w+)` \|", section("To add a stream"), re.MULTILINE))
    known = {field.name for field in fields(StreamSpec)}
    every = {"name", "primary_key", "source", "replication_key", "caught"}
    assert told <= known
    assert known - told - every == {"lookback", "selected", "masked", "masked_parts", "changed", "declared"}


def test_no_engine_names_a_crm() -> None:
    engine = [
        path for folder in ("reading", "transport", "shaping") for path in (ROOT / "tap_crm" / folder).rglob("*.py")
    ]
    names = re.compile(r"\b(copper|close\.com|copera)\b", re.IGNORECASE)
    assert [path.name for path in engine if names.search(path.read_text("utf-8"))] == []
