"""The coverage of some tests is measured; each name of them leads to tests that there are."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests import measuring
from tests.warm_tap import MEASURING

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", [*measuring.MEASURED, *measuring.UNMEASURED])
def test_each_name_leads_to_tests(name: str) -> None:
    """A file that was moved, or a test that has another name now, would be measured no more, and nobody told."""
    path, _, test = name.partition("::")
    assert (ROOT / path).exists()
    assert not test or f"def {test}(" in (ROOT / path).read_text("utf-8")


@pytest.mark.parametrize("name", measuring.UNMEASURED)
def test_what_is_left_out_would_be_measured_otherwise(name: str) -> None:
    """An exception to nothing says nothing."""
    assert name.startswith(measuring.MEASURED)
    assert not measuring.is_among_measured(name)


def test_processes_are_measured_in_the_first_cases_of_a_measured_test_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the variables that they inherit, which are there again afterwards."""
    for name in MEASURING:
        monkeypatch.setenv(name, "somewhere")
    measured = f"{measuring.MEASURED[0]}test_made_up.py::test_it"
    found = {}
    for node in ("tests/made_up/test_it.py::test_it", *(f"{measured}[{case}]" for case in range(measuring.CASES + 1))):
        with measuring.only_some(node):
            found[node] = [name for name in MEASURING if name in os.environ]
        assert all(name in os.environ for name in MEASURING)
    assert [*found.values()] == [[], *[[*MEASURING]] * measuring.CASES, []]


def test_nothing_is_traced_while_nothing_is_measured() -> None:
    """Also in a worker of pytest-xdist, in which pytest-cov begins twice."""
    with measuring.only_some("tests/made_up/test_it.py::test_it"):
        assert sys.gettrace() is None
