"""The pipeline over all CRMs that the demo draws."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import io
from collections import Counter
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from scripts import demo_pipeline
from scripts.dbt_package import SCHEMA, DbtError, Summary
from scripts.demo_pipeline import PIPELINE, Deals, draw, phases_of, show_bars, show_pipeline
from scripts.demo_processes import DemoError

if TYPE_CHECKING:
    from pathlib import Path

duckdb = pytest.importorskip("duckdb")
DEALS: Deals = {("early", "copper"): 30, ("early", "copera"): 10, ("late", "close"): 20, ("won", "close"): 5}
STAGES = [("a", "open"), ("b", "open"), ("c", "open"), ("d", "won"), ("e", "lost")]
#: A deal's stage, its status, whether it is gone, and where it belongs.
PLACES = [
    ("a", "open", False, "early"),
    ("b", "open", False, "middle"),
    ("c", "open", False, "late"),
    (None, "open", False, "early"),
    ("d", "won", False, "won"),
    ("c", "abandoned", False, "lost"),
    ("c", "closed", False, "closed"),
    ("a", "open", True, None),
]


def _fill(database: Path) -> None:
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"CREATE SCHEMA {SCHEMA}")
        connection.execute(f"CREATE TABLE {SCHEMA}.crm_stages (id TEXT, pipeline_id TEXT, position INT, status TEXT)")
        columns = "crm TEXT, stage_id TEXT, status TEXT, is_deleted BOOLEAN"
        connection.execute(f"CREATE TABLE {SCHEMA}.crm_opportunities ({columns})")
        for position, (stage, status) in enumerate(STAGES):
            connection.execute(f"INSERT INTO {SCHEMA}.crm_stages VALUES (?, 'p', ?, ?)", [stage, position, status])  # noqa: S608
        for number, place in enumerate(PLACES):
            row = [f"crm {number}", *place[:3]]
            connection.execute(f"INSERT INTO {SCHEMA}.crm_opportunities VALUES (?, ?, ?, ?)", row)  # noqa: S608


def test_each_deal_is_in_the_phase_of_its_stage_or_of_its_end(tmp_path: Path) -> None:
    _fill(tmp_path / "some.duckdb")
    with duckdb.connect(str(tmp_path / "some.duckdb")) as connection:
        found = {crm: phase for phase, crm, deals in connection.execute(PIPELINE).fetchall() if deals == 1}
    assert found == {f"crm {n}": phase for n, (*_, phase) in enumerate(PLACES) if phase}


def test_the_bars_are_as_long_as_there_are_deals() -> None:
    screen = io.StringIO()
    show_bars(Console(file=screen, width=80), DEALS)
    lines = {line.split()[0]: line for line in screen.getvalue().splitlines() if line.split()}
    assert lines["early"].split()[1:5] == ["30", "0", "10", "40"]
    assert {phase: lines[phase].count("█") for phase in ("early", "middle", "late", "won")} == {
        "early": 32,
        "middle": 0,
        "late": 16,
        "won": 4,
    }


def test_the_picture_has_a_bar_for_each_crm_in_each_phase() -> None:
    picture = ET.fromstring(draw(DEALS))  # noqa: S314 - made here
    space = "{http://www.w3.org/2000/svg}"
    bars = {title: bar for bar in picture.iter(f"{space}rect") if (title := bar.findtext(f"{space}title"))}
    assert len(bars) == 3 * len(phases_of(DEALS)) == 15
    widths = {name: float(bar.attrib["width"]) for name, bar in bars.items()}
    assert widths["copper, early: 30"] == 3 * widths["copera, early: 10"] > 0
    assert widths["close, early: 0"] == 0
    texts = {text.text for text in picture.iter(f"{space}text")}
    assert {"copper", "close", "copera", "early", "40"} <= texts


def test_an_empty_pipeline_can_be_drawn() -> None:
    screen = io.StringIO()
    show_bars(Console(file=screen), {})
    assert "█" not in screen.getvalue()
    assert "<svg" in draw({})


class Package:
    """What stands for dbt, which is in an environment of its own."""

    fails = False

    def __init__(self, folder: Path, output: dict[str, object]) -> None:
        self.log, self.output = folder / "dbt.log", output

    def build(self) -> Summary:
        """Say that it was built, or fail."""
        if self.fails:
            raise DbtError("unique_crm_people_id failed")
        return Summary(models=2, tests=Counter({"pass": 3}), told={}, seconds=1.0)


def test_the_demo_builds_and_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_pipeline, "DbtPackage", Package)
    _fill(tmp_path / "some.duckdb")
    screen = io.StringIO()
    show_pipeline(Console(file=screen, width=200), tmp_path / "some.duckdb", tmp_path)
    assert "2 models, 3 tests (3 pass)" in screen.getvalue()
    assert "pipeline.svg" in screen.getvalue()
    assert (tmp_path / "pipeline.svg").read_text("utf-8").startswith("<svg")


def test_a_build_that_fails_ends_the_demo_with_what_dbt_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_pipeline, "DbtPackage", Package)
    monkeypatch.setattr(Package, "fails", True)
    screen = io.StringIO()
    with pytest.raises(DemoError, match="dbt build"):
        show_pipeline(Console(file=screen), tmp_path / "some.duckdb", tmp_path)
    assert "unique_crm_people_id failed" in screen.getvalue()
