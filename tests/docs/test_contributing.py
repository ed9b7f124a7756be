"""What contributors are told to run is there, and runs what the tests run."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
HOOKS = ROOT / ".pre-commit-config.yaml"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "docs" / "first-change.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_scripts_that_a_page_names_can_be_run(page: Path) -> None:
    named = set(re.findall(r"\./(scripts/\w+)", page.read_text("utf-8")))
    assert named
    assert {name for name in named if not os.access(ROOT / name, os.X_OK)} == set()


def test_the_hooks_before_a_commit_are_valid() -> None:
    command = [sys.executable, "-m", "pre_commit", "validate-config", str(HOOKS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_hooks_before_a_commit_check_what_the_tests_check_by_the_same_tools() -> None:
    hooks: list[dict[str, Any]] = [
        hook for repo in yaml.safe_load(HOOKS.read_text("utf-8"))["repos"] for hook in repo["hooks"]
    ]
    assert {hook["language"] for hook in hooks} == {"system"}
    entries = [hook["entry"].split() for hook in hooks]
    assert {entry[0] for entry in entries} == {"./scripts/run"}
    checked = re.findall(r"^ *check (\w+.*)$", (ROOT / "scripts" / "environment.sh").read_text("utf-8"), re.MULTILINE)
    assert {line.split()[0] for line in checked} == {"ruff", "mypy"}
    assert {entry[1] for entry in entries} >= {"ruff", "mypy"}
