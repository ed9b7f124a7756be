"""One account fills a schema of a Meltano project: another one is refused before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_crm.config.meltano_project import run_folder, system_folder
from tap_crm.errors import OtherAccount
from tap_crm.sync.schema_owner import FILE, claim_schema

if TYPE_CHECKING:
    from pathlib import Path


def meltano(folder: Path, schema: str, name: str = "dev") -> dict[str, str]:
    """Return the variables that Meltano sets."""
    return {"MELTANO_SYS_DIR_ROOT": str(folder), "MELTANO_EXTRACT__LOAD_SCHEMA": schema, "MELTANO_ENVIRONMENT": name}


def test_the_second_account_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    """As where an extractor inherits `load_schema` from another one."""
    claim_schema("a1", "Copper", meltano(tmp_path, "copper"))
    with pytest.raises(OtherAccount, match="a `load_schema` of its own, or set `account_column`"):
        claim_schema("b2", "Copper", meltano(tmp_path, "copper"))
    claim_schema("a1", "Copper", meltano(tmp_path, "copper"))


def test_another_schema_or_another_environment_is_another_place(tmp_path: Path) -> None:
    """Each may have an account of its own."""
    for account, schema, name in (("a1", "copper", "dev"), ("b2", "copper_emea", "dev"), ("b2", "copper", "prod")):
        claim_schema(account, "Copper", meltano(tmp_path, schema, name))


@pytest.mark.parametrize("content", ["", "no JSON", "[1]", "{"])
def test_a_file_that_is_none_of_ours_is_no_reason_to_fail(tmp_path: Path, content: str) -> None:
    """It is a memory, no more."""
    (tmp_path / FILE).write_text(content)
    claim_schema("a1", "Copper", meltano(tmp_path, "copper"))


def test_without_meltano_or_an_account_nothing_is_kept(tmp_path: Path) -> None:
    """Nobody tells then which tables are written."""
    claim_schema("a1", "Copper", {})
    claim_schema(None, "Copper", meltano(tmp_path, "copper"))
    assert list(tmp_path.iterdir()) == []


def test_the_folders_are_those_that_meltano_names(tmp_path: Path) -> None:
    """The system folder may be elsewhere; one that is not there is none."""
    (tmp_path / ".meltano" / "run" / "tap-copper").mkdir(parents=True)
    project = {"MELTANO_PROJECT_ROOT": str(tmp_path), "MELTANO_EXTRACTOR_NAME": "tap-copper"}
    assert system_folder(project) == tmp_path / ".meltano"
    assert run_folder(project) == tmp_path / ".meltano" / "run" / "tap-copper"
    assert run_folder({**project, "MELTANO_EXTRACTOR_NAME": "tap-close"}) is None
    assert system_folder({**project, "MELTANO_SYS_DIR_ROOT": str(tmp_path / "nowhere")}) is None
