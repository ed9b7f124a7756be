"""What is generated is up to date, what a user can set or read is documented, and no link leads nowhere."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import copy
import json
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scripts import readme_tables
from scripts.dbt_tables import neutral_models
from scripts.demo_copper import COPPER
from scripts.sql_types import sql_type
from tap_crm.contract.stream import AUDIT, WRITES
from tap_crm.providers import PROVIDERS
from tap_crm.providers.setting_table import rows
from tap_crm.shaping.child_tables import child_table
from tap_crm.shaping.schema import load_schema
from tap_crm.singer.tap import TapCRM
from target_crm.config.schema import target_rows
from target_crm.config.settings import StreamSettings
from target_crm.singer.target import TargetCRM
from target_crm.writers import WRITERS
from tests.meltano.project import plugins

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md")])
README, INDEX, MELTANO = ROOT / "README.md", ROOT / "docs" / "README.md", ROOT / "meltano.yml"
#: A front page is read to its end, or not at all.
MOST_LINES = 200
#: What a page has its readers define.
OWN_PLUGINS = {"tap-of-your-warehouse", "tap-copper-emea"}
#: Where options are declared that several commands have.
SHARED_OPTIONS = sorted([*(ROOT / "tap_crm" / "config").glob("*.py"), *(ROOT / "tap_crm" / "contract").glob("*.py")])
#: Where options of a command are declared that has them in common with one other.
COMMON_OPTIONS = {"tap-crm-report": [ROOT / "tap_crm" / "audit" / "options.py"]}
#: Streams of tables as the pages' examples name them.
PINNED = ("leads", "people", "companies", "opportunities")
#: What the loader adds to every table.
LOADED_AT = {"_sdc_extracted_at": {"format": "date-time"}}
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_SQL = re.compile(r"^```sql\n(.*?)^```", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def text_of(page: Path) -> str:
    """Return a page without its blocks of code, in which `#` begins a comment."""
    return _FENCED.sub("", page.read_text("utf-8"))


def anchors(page: Path) -> set[str]:
    """Return what links into a page may name, by the rule that forges use."""
    headings = _HEADING.findall(text_of(page))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def page_of(name: str) -> str:
    """Return the text of a page."""
    return (ROOT / "docs" / f"{name}.md").read_text("utf-8")


def test_the_front_page_is_short() -> None:
    assert len(README.read_text("utf-8").splitlines()) <= MOST_LINES


def test_the_index_leads_to_every_page() -> None:
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {INDEX.name}
    assert pages - {link.partition("#")[0] for link in _LINK.findall(INDEX.read_text("utf-8"))} == set()


def test_the_front_page_leads_to_the_index() -> None:
    assert "docs/README.md" in _LINK.findall(README.read_text("utf-8"))


def test_a_picture_loads_nothing() -> None:
    for picture in (ROOT / "docs").glob("*.svg"):
        assert re.findall(r"(?:href|src|url)\W{1,2}(?:https?:)?//", picture.read_text("utf-8")) == [], picture.name


def commands() -> dict[str, Path]:
    """Return the folder of each command that the project installs."""
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    return {name: ROOT / Path(*place.partition(":")[0].split(".")[:2]) for name, place in scripts.items()}


def options_of(command: str) -> set[str]:
    """Return the options that a command has."""
    if command in ("tap-crm", "target-crm"):
        return {name for option in (TapCRM if command == "tap-crm" else TargetCRM).cli.params for name in option.opts}
    folder = commands()[command]
    own = folder.rglob("*.py") if folder.is_dir() else [folder.with_suffix(".py")]
    files = [*own, *COMMON_OPTIONS.get(command, []), *SHARED_OPTIONS]
    return {name for path in files for name in re.findall(r'"(--[a-z][a-z-]*)', path.read_text("utf-8"))} | {"--help"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_on_a_page_have_the_options_that_it_names(page: Path) -> None:
    text = page.read_text("utf-8").replace("\\\n", " ")
    for block in re.findall(r"^ *```sh\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL):
        for part in re.split(r"[|\n;]|&&", block):
            words = part.partition("#")[0].partition(" -- ")[0].split()  # what follows is another command
            if words and words[0] in commands():
                given = {word.partition("=")[0] for word in words if word.startswith("--")}
                assert given <= options_of(words[0]), part


def test_the_generated_tables_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert readme_tables.main(["--check"]) == 0, capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "fresh", "stale"),
    [
        ("README.md", "`people`", "`persons`"),
        ("docs/settings.md", "| `api_key` |", "| `api_token` |"),
        ("docs/streams.md", "| `people` |", "| `persons` |"),
        ("CONTRIBUTING.md", "| `tap_crm/errors.py` |", "| `tap_crm/faults.py` |"),
        ("docs/dbt.md", "| `source_id` |", "| `source` |"),
        ("meltano.yml", "- name: api_key", "- name: api_token"),
    ],
)
def test_a_stale_part_is_noticed_and_written_anew(
    file: str, fresh: str, stale: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / file).read_text("utf-8")
    copy_of_it = tmp_path / file
    copy_of_it.parent.mkdir(exist_ok=True)
    copy_of_it.write_text(text.replace(fresh, stale), "utf-8")
    assert readme_tables.main(["--check"], tmp_path) == 1
    assert f"{file} is stale" in capsys.readouterr().err
    assert readme_tables.main([], tmp_path) == 0
    assert copy_of_it.read_text("utf-8") == text


def test_a_lost_marker_is_an_error() -> None:
    with pytest.raises(ValueError, match="generated parts"):
        readme_tables.renewed("docs/settings.md", page_of("settings").replace("<!-- generated: settings -->", ""))


@pytest.mark.parametrize("option", [name for option in TapCRM.cli.params for name in option.opts])
def test_each_option_of_the_command_line_is_documented(option: str) -> None:
    assert f"`{option}`" in page_of("get-started")


@pytest.mark.parametrize("stream", [AUDIT, WRITES, *(spec.name for crm in PROVIDERS.values() for spec in crm.streams)])
def test_each_stream_is_documented(stream: str) -> None:
    assert f"| `{stream}` |" in page_of("streams")


def test_each_stream_is_on_the_front_page() -> None:
    text = README.read_text("utf-8")
    assert [spec.name for crm in PROVIDERS.values() for spec in crm.streams if f"`{spec.name}`" not in text] == []


@pytest.mark.parametrize(
    ("crm", "stream"), [(crm.name, spec.name) for crm in PROVIDERS.values() for spec in crm.streams]
)
def test_each_stream_has_a_note_on_the_page_of_its_crm(crm: str, stream: str) -> None:
    assert re.search(
        rf"(`{stream}`|^### .*\b{stream}\b)", (ROOT / "docs" / f"{crm}.md").read_text("utf-8"), re.MULTILINE
    )


def test_the_statement_that_removes_deleted_rows_is_the_one_that_the_demo_and_its_tests_use() -> None:
    statements = [query for query in _SQL.findall(page_of("deletions")) if query.startswith("DELETE")]
    assert [one.rstrip(";\n").split() for one in statements] == [COPPER.removal("people").split()]


def test_streams_that_only_discovery_knows_are_documented() -> None:
    assert readme_tables.DISCOVERED.keys() == {crm.name for crm in PROVIDERS.values() if crm.discover is not None}
    assert [name for name, *_ in readme_tables.DISCOVERED.values() if f"| `{name}` |" not in page_of("streams")] == []


@pytest.fixture(scope="module")
def tables() -> Iterator[Any]:
    """Give a database that has every table of the schemas, all of them empty."""
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect() as connection:
        for crm in (folder for folder in (ROOT / "schemas").iterdir() if folder.name != "common"):
            connection.execute(f"CREATE SCHEMA {crm.name}")
            for path in (*(ROOT / "schemas/common").glob("*.json"), *crm.glob("[a-z]*.json")):
                fields = json.loads(path.read_text("utf-8"))["properties"]
                fields |= LOADED_AT
                declared = ", ".join(f'"{name}" {sql_type(part)}' for name, part in fields.items())
                connection.execute(f'CREATE TABLE {crm.name}."{path.stem}" ({declared})')
        people = load_schema("copper", "people")["properties"]
        for array in ("emails", "tags"):
            child = child_table("people", ("id",), people, array)
            declared = ", ".join(f'"{name}" {sql_type(part)}' for name, part in child.schema["properties"].items())
            connection.execute(f'CREATE TABLE copper."{child.stream}" ({declared})')
        row = json.loads((ROOT / "schemas/copera/_row.json").read_text("utf-8"))["properties"]
        row |= {"stage": {}, "amount": {"type": "number"}, "company": {}, **LOADED_AT}
        declared = ", ".join(f'"{name}" {sql_type(part)}' for name, part in row.items())
        for stream in PINNED:
            connection.execute(f"CREATE TABLE copera.{stream} ({declared})")
        connection.execute("CREATE SCHEMA analytics")
        neutral = {"is_deleted": "BOOLEAN", "annual_amount": "DECIMAL(28, 4)"}
        for model in neutral_models():
            names = [column["name"] for column in model["columns"]]
            declared = ", ".join(f'"{name}" {neutral.get(name, "VARCHAR")}' for name in names)
            connection.execute(f"CREATE TABLE analytics.{model['name']} ({declared})")
        yield connection


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_queries_run_on_tables_made_from_the_schemas(page: Path, tables: Any) -> None:  # noqa: ANN401 - DuckDB is optional
    tables.begin()
    for query in _SQL.findall(page.read_text("utf-8")):
        assert tables.execute(query).fetchall() in ([], [(0,)])  # the latter: nothing was deleted
    tables.rollback()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_inside_of_the_project_resolve(page: Path) -> None:
    for link in _LINK.findall(text_of(page)):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_exist(page: Path) -> None:
    named = re.findall(r"`((?:tap_crm|target_crm|sandbox|tests|scripts|schemas)/[\w./]*)`", text_of(page))
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_each_module_has_a_line_in_the_layout_but_those_of_a_crm() -> None:
    contributing = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    modules = [path for path in (ROOT / "tap_crm").rglob("*.py") if not path.name.startswith("__")]
    paths = [path.relative_to(ROOT).as_posix() for path in modules if not {*path.parts} & PROVIDERS.keys()]
    assert [path for path in paths if f"| `{path}` |" not in contributing] == []
    assert [crm for crm in PROVIDERS if f"| `tap_crm/providers/{crm}/` |" not in contributing] == []


@pytest.mark.skipif(not MELTANO.exists(), reason="this checkout has no Meltano project")
def test_meltano_has_the_settings_of_the_tap_and_no_others() -> None:
    tap = plugins()["tap-crm"]
    assert {setting["name"] for setting in tap["settings"]} == TapCRM.config_jsonschema["properties"].keys() | _of_sdk()


@pytest.mark.skipif(not MELTANO.exists(), reason="this checkout has no Meltano project")
def test_meltano_has_the_settings_of_the_target_and_no_others() -> None:
    target = plugins()["target-crm"]
    schema: dict[str, Any] = copy.deepcopy(TargetCRM.config_jsonschema)
    TargetCRM.append_builtin_config(schema)
    assert {setting["name"] for setting in target["settings"]} == schema["properties"].keys()


@pytest.mark.skipif(not MELTANO.exists(), reason="this checkout has no Meltano project")
def test_meltano_has_a_loader_for_each_crm_that_can_be_written() -> None:
    inheriting = {name for name, plugin in plugins().items() if plugin.get("inherit_from") == "target-crm"}
    assert inheriting == {f"target-{name}" for name in WRITERS}


@pytest.mark.skipif(not MELTANO.exists(), reason="this checkout has no Meltano project")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_plugins_that_a_page_runs_are_in_the_project(page: Path) -> None:
    lines = re.findall(r"\bmeltano (?:run|install|config|invoke|select)\b.*", page.read_text("utf-8"))
    named = {name for line in lines for name in re.findall(r"\b(?:tap|target)-[\w-]+", line)}
    assert named <= plugins().keys() | OWN_PLUGINS


def test_each_setting_of_the_target_is_documented() -> None:
    page = (ROOT / "docs" / "writing.md").read_text("utf-8")
    assert [row.name for row in target_rows() if f"`{row.name}`" not in page] == []
    assert [name for name in StreamSettings.__dataclass_fields__ if f"| `{name}` |" not in page] == []


def test_every_setting_of_the_sdk_is_documented() -> None:
    assert [name for name in _of_sdk() if f"`{name}`" not in page_of("settings")] == []


def _of_sdk() -> set[str]:
    """Return the settings that the SDK adds to a tap's own."""
    schema: dict[str, Any] = copy.deepcopy(TapCRM.config_jsonschema)
    TapCRM.append_builtin_config(schema)
    return set(schema["properties"]) - {row.name for row in rows()}
