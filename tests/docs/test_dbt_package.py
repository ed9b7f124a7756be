"""What can be said of the dbt package without dbt; `./scripts/test-dbt` builds it on real loads."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.dbt_package import postgres_output
from scripts.dbt_tables import FIRST, neutral_models
from tap_crm.providers import PROVIDERS

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "dbt"
PAGE = (ROOT / "docs" / "dbt.md").read_text("utf-8")
NEUTRAL = (
    *("companies", "people", "leads", "opportunities", "pipelines", "stages", "tasks", "activities", "users"),
    *("associations", "custom_fields"),
)
MODELS = {model["name"]: model for model in neutral_models()}
_LOADED = re.compile(r"loaded\('\w+', '(?P<stream>\w+)', \{(?P<columns>.*?)\}\)", re.DOTALL)
FILES = sorted(PACKAGE.rglob("*.yml"))


def _declared(path: Path) -> dict[str, Any]:
    declared: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return declared


def test_every_file_of_the_package_is_valid_yaml() -> None:
    assert len(FILES) > 3
    assert [path for path in FILES if not isinstance(_declared(path), dict)] == []


@pytest.mark.parametrize("name", NEUTRAL)
def test_a_neutral_model_begins_with_the_columns_that_all_have_and_its_key_is_tested(name: str) -> None:
    columns = {column["name"]: column for column in MODELS[f"crm_{name}"]["columns"]}
    assert tuple(columns)[: len(FIRST) + 1] == (*FIRST, "id")
    assert columns["id"]["data_tests"] == ["unique", "not_null"]


@pytest.mark.parametrize("folder", ["crm", *PROVIDERS])
def test_every_model_is_declared_and_every_declared_one_is_there(folder: str) -> None:
    models = PACKAGE / "models" / folder
    names = [model["name"] for model in _declared(models / f"_{folder}__models.yml")["models"]]
    assert sorted(names) == sorted(path.stem for path in models.glob("*.sql"))


@pytest.mark.parametrize("name", MODELS)
def test_the_page_has_every_neutral_model(name: str) -> None:
    assert f"### {name}\n" in PAGE


@pytest.mark.parametrize("name", _declared(PACKAGE / "dbt_project.yml")["vars"])
def test_the_page_has_every_variable(name: str) -> None:
    assert f"`{name}`" in PAGE.partition("## Variables")[2]


@pytest.mark.parametrize("crm", PROVIDERS)
def test_what_is_staged_are_streams_of_the_tap_with_columns_that_they_have(crm: str) -> None:
    schemas = {path.stem: path.read_text("utf-8") for path in (ROOT / "schemas" / crm).glob("[a-z]*.json")}
    asked = {
        (match["stream"], column[1] or column[0])
        for path in (PACKAGE / "models" / crm).glob("*.sql")
        for match in re.finditer(
            r"loaded\('\w+', '(?P<stream>\w+)', \{(?P<columns>.*?)\}\)", path.read_text(), re.DOTALL
        )
        if match["stream"] in schemas
        for column in re.findall(r"'(\w+)': '\w+ ?(\w*)'", match["columns"])
    }
    assert asked
    assert {(stream, column) for stream, column in asked if f'"{column}"' not in schemas[stream]} == set()


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        ("postgresql+psycopg://crm:secret@db.example.com:6432/crm", "db.example.com", 6432),
        ("postgresql+psycopg://crm:secret@/crm?host=%2Ftmp%2Fpg", "/tmp/pg", 5432),  # noqa: S108 - a socket's folder
    ],
)
def test_the_address_of_a_loader_becomes_a_profile(address: str, host: str, port: int) -> None:
    output = postgres_output(address)
    assert (output["host"], output["port"], output["user"], output["dbname"]) == (host, port, "crm", "crm")
