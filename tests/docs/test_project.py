"""What a forge and a container builder are told fits the project: workflows, templates, versions, the image."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.release import complaint, sections
from tests.meltano.project import plugins
from tests.started import run

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
CONTAINERFILE = (ROOT / "Containerfile").read_text("utf-8")
#: Programs that a runner of the forge has.
THERE = {"pipx", "docker", "python"}


def workflow(path: Path) -> dict[Any, Any]:
    """Return a workflow; YAML 1.1 takes its key `on` for a truth."""
    found: dict[Any, Any] = yaml.safe_load(path.read_text("utf-8"))
    return found


def steps(path: Path) -> list[dict[str, Any]]:
    """Return all steps of a workflow."""
    return [step for job in workflow(path)["jobs"].values() for step in job["steps"]]


def test_the_site_is_built_where_the_pages_are_checked() -> None:
    steps = workflow(ROOT / ".github" / "workflows" / "test.yml")["jobs"]["docs"]["steps"]
    assert "./scripts/docs" in [step.get("run") for step in steps]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_has_no_more_rights_than_it_needs_and_ends_in_time(path: Path) -> None:
    found = workflow(path)
    assert found["permissions"] == {"contents": "read"}
    for name, job in found["jobs"].items():
        assert job["timeout-minutes"] <= 60, name
        assert job.get("permissions", {}) in ({}, {"id-token": "write"})
        assert set(job.get("needs", "").split()) <= found["jobs"].keys()
    for step in steps(path):
        assert ("uses" in step) != ("run" in step)
        assert re.fullmatch(r"[\w.-]+/[\w.-]+@(v\d[\d.]*|release/v1)", step.get("uses", "a/b@v1"))
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_what_a_workflow_runs_is_there(path: Path) -> None:
    for command in (step["run"] for step in steps(path) if "run" in step):
        words = command.split()
        if words[0].startswith("./"):
            assert (ROOT / words[0]).stat().st_mode & 0o111, command
        else:
            assert words[0] in THERE, command
        for module in re.findall(r"python -m (\S+)", command):
            assert (ROOT / Path(*module.split("."))).with_suffix(".py").is_file(), command
        for folder in re.findall(r"pytest (\S+)", command):
            assert (ROOT / folder).is_dir(), command


def test_the_matrix_has_every_python_that_the_project_allows() -> None:
    matrix = workflow(ROOT / ".github" / "workflows" / "test.yml")["jobs"]["test"]["strategy"]["matrix"]["python"]
    least, most = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PROJECT["requires-python"]).groups()  # type: ignore[union-attr]
    assert matrix == [f"3.{minor}" for minor in range(int(least), int(most))]
    told = [one.rpartition(" ")[2] for one in PROJECT["classifiers"] if "Python :: 3." in one]
    assert told == matrix


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="actionlint is not installed")
def test_actionlint_has_nothing_to_say() -> None:
    done = run(["actionlint", *map(str, WORKFLOWS)])
    assert done.returncode == 0, done.stdout.decode()


def test_templates_of_issues_are_forms() -> None:
    for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"):
        if path.name == "config.yml":
            continue
        form = yaml.safe_load(path.read_text("utf-8"))
        assert {"name", "description", "body"} <= form.keys()
        ids = [part["id"] for part in form["body"] if part["type"] != "markdown"]
        assert ids
        assert len(ids) == len(set(ids))


def test_the_version_of_the_project_is_a_dated_section_of_the_changelog() -> None:
    assert complaint(f"v{PROJECT['version']}", PROJECT["version"], sections(CHANGELOG)) is None


@pytest.mark.parametrize(
    ("tag", "version", "dates", "words"),
    [
        ("v1.2.3", "1.2.4", {"1.2.4": "2026-01-31"}, "its tag is v1.2.4"),
        ("1.2.3", "1.2.3", {"1.2.3": "2026-01-31"}, "its tag is v1.2.3"),
        ("v1.2.3", "1.2.3", {"1.2.2": "2026-01-31"}, "has no section"),
        ("v1.2.3", "1.2.3", {"1.2.3": "unreleased"}, "has no date"),
        ("v1.2.3", "1.2.3", {"1.2.3": None}, "has no date"),
    ],
)
def test_a_tag_that_does_not_fit_is_not_published(
    tag: str, version: str, dates: dict[str, str | None], words: str
) -> None:
    assert words in str(complaint(tag, version, dates))


def test_the_image_has_what_the_package_is_made_of_and_the_pins_of_the_project() -> None:
    copied = {name for line in re.findall(r"^COPY \S+ (.+) \S+$", CONTAINERFILE, re.MULTILINE) for name in line.split()}
    assert all((ROOT / name).exists() for name in copied)
    assert copied >= {"pyproject.toml", "README.md", "LICENSE", "meltano.yml", "schemas", "tap_crm", "target_crm"}
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").split() if line.startswith("!")}
    assert kept == copied  # no key, no state and no loaded table gets into an image
    demo = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]["demo"]
    assert re.findall(r'pip install "(.+)"', CONTAINERFILE) == [one for one in demo if "meltano" in one]
    assert set(re.findall(r"meltano install \w+ ([\w-]+)", CONTAINERFILE)) <= plugins().keys()


def test_the_image_is_pinned_and_does_not_run_as_root() -> None:
    (base,) = re.findall(r"^FROM (\S+)$", CONTAINERFILE, re.MULTILINE)
    minor = re.fullmatch(r"python:3\.(\d+)-slim-\w+", base)
    assert minor is not None
    assert f"3.{minor[1]}" in " ".join(PROJECT["classifiers"])
    users = re.findall(r"^USER (\S+)$", CONTAINERFILE, re.MULTILINE)
    assert users
    assert users[-1] != "root"
