"""A load by ``tap | target``: what counts as loaded, and which state is kept."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from tap_crm.contract.signals import REFUSED
from tap_crm.errors import ConfigError
from tests.load.conftest import CONFIRMS, NOTHING, shell
from tests.started import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.load.conftest import Loads

KEPT = '{"bookmarks": {"people": {"at": 2}}}'
BEFORE = '{"bookmarks": {"people": {"at": 1}}}'


def test_the_next_run_is_given_what_the_target_confirmed_last(loads: Loads, tmp_path: Path) -> None:
    """The last line counts."""
    assert loads.run(NOTHING, shell(f"cat; echo '{BEFORE}'; echo '{KEPT}'")) == 0
    seen = tmp_path / "seen.json"
    assert loads.run(shell(f'cp "$1" {seen}; exit'), CONFIRMS) == 0  # `sh -c TEXT --state FILE`: $0 is the option
    assert seen.read_text() == KEPT


@pytest.mark.parametrize(
    ("tap", "target", "code", "state"),
    [
        ("exit 0", "cat >/dev/null", 0, None),
        ("exit 1", f"cat >/dev/null; echo '{KEPT}'", 1, KEPT),
        (f"exit {REFUSED}", f"cat >/dev/null; echo '{KEPT}'", REFUSED, KEPT),
        ("exit 0", f"cat >/dev/null; echo '{KEPT}'; exit 3", 1, KEPT),
        ("kill -9 $$", f"cat >/dev/null; echo '{KEPT}'", 1, KEPT),
        ("echo row", f"echo '{KEPT}'", 1, KEPT),
        ("while echo row; do :; done", f"echo '{KEPT}'", 1, KEPT),
        ("exec sleep 100", "exit 1", 1, None),
        ("exit 0", f"echo '{KEPT}'; cat >/dev/null; echo starting; echo '{{}}'; echo '[1]'", 0, KEPT),
        ("exit 0", f"""cat >/dev/null; echo '{{"type": "STATE", "value": {KEPT}}}'""", 0, KEPT),
        ("exit 0", f"cat >/dev/null; printf '%s' '{KEPT}'", 0, KEPT),
    ],
    ids=[
        "nothing-confirmed",
        "tap-fails",
        "key-refused",
        "target-fails",
        "tap-killed",
        "target-leaves-rows-unread",
        "target-ends-early",
        "target-dies-while-the-tap-waits",
        "other-lines",
        "state-message",
        "no-line-end",
    ],
)
def test_both_must_end_well_and_what_was_confirmed_is_kept(
    loads: Loads, tap: str, target: str, code: int, state: str | None
) -> None:
    """Exit code 0 of a target proves nothing: it was given what it was given."""
    assert loads.run(shell(tap), shell(target)) == code
    assert loads.state() == state


def test_a_tap_that_is_asked_to_end_hands_its_last_state_to_the_target(loads: Loads) -> None:
    """SIGTERM goes to the tap alone; what the target prints while it drains is kept."""
    tap = shell("trap 'echo safe; exit 143' TERM; echo row; while :; do sleep 0.05; done")
    target = shell("""trap 'exit 9' TERM; while read -r line; do last=$line; done; echo "{\\"at\\": \\"$last\\"}" """)
    assert loads.run(tap, target, "--timeout-minutes", "0.002") == 124
    assert loads.state() == '{"at": "safe"}'


def test_what_does_not_end_is_killed(loads: Loads) -> None:
    """A process that heeds no SIGTERM keeps no worker."""
    deaf = "trap '' TERM; while :; do sleep 0.05; done"
    assert (
        loads.run(shell(deaf), shell(f"echo '{KEPT}'; {deaf}"), "--timeout-minutes", "0.001", "--kill-after", "0")
        == 124
    )
    assert loads.state() == KEPT


def test_a_signal_ends_the_tap_first_and_is_what_the_exit_code_tells(loads: Loads) -> None:
    """As Airflow does to a task that is cleared."""
    tap = shell(f"trap 'exit 143' TERM; kill -TERM {os.getpid()}; while :; do sleep 0.05; done")
    assert loads.run(tap, CONFIRMS) == 143
    assert loads.state() == KEPT


def test_each_sees_its_own_variables_only(loads: Loads, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The tap has no password of the warehouse, the target no key of the CRM, and neither that of the state."""
    for name in ("TAP_CRM_API_KEY", "TARGET_X_PASSWORD", "LOAD_ACCOUNT_WAIT", "PYTHONDONTWRITEBYTECODE"):
        monkeypatch.setenv(name, "1")
    names = "env | cut -d= -f1 | grep -E '^(TAP|TARGET|LOAD|PYTHONDONT)' | sort | tr '\\n' ' ' >"
    target = tmp_path / "target-x"
    target.write_text(
        f"#!/bin/sh\n{names} {tmp_path}/target; echo $TARGET_X_DEFAULT_TARGET_SCHEMA >> {tmp_path}/target\n"
    )
    target.chmod(0o755)
    assert loads.run(shell(f"{names} {tmp_path}/tap"), [str(target)], "--schema", "acme") == 0
    assert (tmp_path / "tap").read_text() == "TAP_CRM_API_KEY "
    assert (tmp_path / "target").read_text() == "TARGET_X_DEFAULT_TARGET_SCHEMA TARGET_X_PASSWORD acme\n"


def test_nothing_is_on_the_standard_input_of_the_tap(loads: Loads, tmp_path: Path) -> None:
    """A scheduler's own socket may be there."""
    assert loads.run(shell(f"cat > {tmp_path}/input"), CONFIRMS) == 0
    assert (tmp_path / "input").read_text() == ""


def test_a_full_refresh_is_given_no_state_and_keeps_the_old_one_until_there_is_a_new_one(loads: Loads) -> None:
    """One that fails early has lost nothing."""
    assert loads.run(NOTHING, CONFIRMS) == 0
    no_option = shell('test "$0" = sh')  # an option would be $0
    assert loads.run(no_option, shell("cat >/dev/null; exit 1"), "--full-refresh") == 1
    assert loads.state() == KEPT


def test_two_runs_of_one_account_never_go_on_at_once(loads: Loads, tmp_path: Path) -> None:
    """The second waits, then ends with a code of its own and has done nothing."""
    begun = tmp_path / "begun"
    codes: list[int] = []
    tap = shell(f"touch {begun}; while [ -e {begun} ]; do sleep 0.05; done")

    def second() -> None:
        while not begun.exists():
            pass
        try:
            codes.append(_code_of_a_second_run(loads))
        finally:
            begun.unlink()

    beside = threading.Thread(target=second)
    beside.start()
    assert loads.run(tap, CONFIRMS) == 0
    beside.join()
    assert codes == [75]


def _code_of_a_second_run(loads: Loads) -> int:
    command = [sys.executable, "-m", "tap_crm.load", "acme", "--state", str(loads.place), "--wait", "0"]
    return run([*command, "--", "true", "|", "true"]).returncode


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["tap-crm"], "a quoted bar"),
        (["tap-crm", "|"], "a quoted bar"),
        (["no-such-tap-1", "|", "cat"], "`no-such-tap-1` cannot be started"),
        (["true", "|", "no-such-target-1"], "`no-such-target-1` cannot be started"),
    ],
)
def test_a_command_that_cannot_be_used_is_said(loads: Loads, words: list[str], line: str) -> None:
    """In one line."""
    with pytest.raises(ConfigError, match=line):
        loads.run_words(words)


@pytest.mark.parametrize("account", ["a b", "../x", "ä", "x" * 62])
def test_an_account_is_named_by_what_fits_everywhere(loads: Loads, account: str) -> None:
    """Its name is that of a lock's file, and part of Meltano's state id."""
    with pytest.raises(ConfigError, match="no name of an account"):
        loads.run_words(["true", "|", "true"], account=account)
