"""The log of a run that failed says how to repeat it: by seed, example and command."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.started import run

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFTEST = """
from tests.repeating import Repeating


def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Repeating(), "repeating")
"""
FAILING = """
import pytest
from hypothesis import given, strategies as st


@pytest.mark.parametrize("name", ["a b"])
def test_fails(name):
    assert name == "c"


@given(st.integers())
def test_property(number):
    assert number < 1000
"""


def failed(folder: Path, *options: str, files: Sequence[str] = ("test_one.py",)) -> str:
    """Run tests, one of which fails; return what is said of that."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_before.py").write_text("".join(f"def test_{number}():\n    pass\n" for number in range(9)))
    (folder / "test_one.py").write_text(FAILING)
    (folder / "pytest.ini").write_text(f"[pytest]\npythonpath = {Path(__file__).parents[2]}\n")
    done = run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, *files], folder=folder)
    assert done.returncode == 1, done.stderr
    return done.stdout.decode()


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return what is said of one run with failures."""
    return failed(tmp_path_factory.mktemp("failed"))


def test_a_test_that_fails_is_told_with_the_command_that_repeats_it(said: str) -> None:
    assert "./scripts/run python -m pytest --no-cov 'test_one.py::test_fails[a b]'" in said
    assert "if it passes alone" not in said


def test_what_a_property_test_has_found_is_told_with_what_repeats_it(said: str) -> None:
    assert re.search(r"@reproduce_failure\('[\d.]+', b'.+'\)", said)
    assert "number=1000" in said


def test_what_a_worker_has_run_before_is_told(tmp_path: Path) -> None:
    pytest.importorskip("xdist")
    told = failed(tmp_path, "-n", "1", "--dist", "loadfile", files=("test_before.py", "test_one.py"))
    assert "if it passes alone, after what gw0 had run before it:" in told
    assert "./scripts/run python -m pytest --no-cov test_before.py test_one.py" in told


def test_a_run_without_a_failure_says_nothing_of_that(tmp_path: Path) -> None:
    (tmp_path / "test_before.py").write_text("def test_passes():\n    pass\n")
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "pytest.ini").write_text(f"[pytest]\npythonpath = {Path(__file__).parents[2]}\n")
    done = run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], folder=tmp_path)
    assert done.returncode == 0
    assert "repeat" not in done.stdout.decode()
