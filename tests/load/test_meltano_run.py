"""A load by ``meltano run``, with a program in Meltano's place that says how it was started."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_crm.contract.signals import REFUSED, REFUSED_MARK

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.load.conftest import Loads


@pytest.fixture
def meltano(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Makes a program that does as a line of a shell says, in a project where plugins are installed."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in ("MELTANO_SYS_DIR_ROOT", "MELTANO_DATABASE_URI") if name]:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".meltano" / "extractors" / "tap-copper").mkdir(parents=True)

    def make(text: str) -> str:
        program = tmp_path / "meltano"
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
        return str(program)

    return make


def test_each_run_has_a_state_and_a_folder_of_its_own(
    loads: Loads, meltano: Callable[[str], str], tmp_path: Path
) -> None:
    """The folder is gone afterwards, so the state lies elsewhere; what is installed is the project's."""
    program = meltano(
        f"""
        echo "$@" > {tmp_path}/words
        ls "$MELTANO_SYS_DIR_ROOT/extractors" > {tmp_path}/plugins
        echo "$MELTANO_DATABASE_URI $TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA $TAP_COPPER__SELECT" > {tmp_path}/variables
        """
    )
    words = [program, "--environment=prod", "run", "tap-copper", "target-postgres"]
    given = ("--part", "people", "--schema", "acme_crm", "--select", "people,!tags")
    assert loads.run_words(words, *given, "--full-refresh") == 0
    assert (tmp_path / "words").read_text().split() == [
        *("--environment=prod", "run", "--no-install", "--state-id-suffix=acme--people", "--full-refresh"),
        *("tap-copper", "target-postgres"),
    ]
    assert (tmp_path / "plugins").read_text() == "tap-copper\n"
    database = f"sqlite:///{tmp_path}/.meltano/meltano.db"
    selected = '["people.*","!tags.*","sync_audit.*"]'
    assert (tmp_path / "variables").read_text() == f"{database} acme_crm {selected}\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("exit 0", 0),
        ("exit 1", 1),
        (f"echo 'tap-crm: the CRM refused … ({REFUSED_MARK} {REFUSED})' >&2; exit 1", REFUSED),
        (f"echo 'target-crm: the CRM refused … ({REFUSED_MARK} 1)' >&2; exit 1", 1),
    ],
)
def test_meltanos_code_counts_and_its_log_tells_of_refused_credentials(
    loads: Loads, meltano: Callable[[str], str], capfd: pytest.CaptureFixture[str], text: str, code: int
) -> None:
    """It ends with 1 whatever the tap ends with."""
    assert loads.run_words([meltano(text), "run", "tap-copper", "target-postgres"]) == code
    assert ("refused" in text) == ("refused" in capfd.readouterr().err)


def test_a_limit_ends_meltano(loads: Loads, meltano: Callable[[str], str]) -> None:
    """It passes SIGTERM on to both."""
    words = [meltano("trap 'exit 1' TERM; while :; do sleep 0.05; done"), "run", "tap-copper", "target-postgres"]
    assert loads.run_words(words, "--timeout-minutes", "0.002") == 124
