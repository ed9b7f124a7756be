"""The state and the catalog as people have them at hand: read, or refused in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.singer import selecting
from tests.states.conftest import CRMS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.singer import Run
    from tests.states.conftest import Settled

    Settle = Callable[..., Settled]


def refused(run: Run, words: str) -> None:
    """Nothing is written, and one line says why."""
    assert run.messages == []
    (line,) = [line for line in run.log.splitlines() if "| ERROR" in line]
    assert words in line
    assert "Traceback" not in run.log


@pytest.mark.parametrize(
    "form",
    [lambda state: {"type": "STATE", "value": state}, lambda state: {"singer_state": state}],
    ids=["line", "get"],
)
def test_a_state_line_and_what_meltano_prints_are_read(settled: Settle, form: Callable[[Any], Any]) -> None:
    """As the state that is in them."""
    run = settled("copper").account.sync(state=form(settled("copper").state))
    assert run.audit()["people"]["mode"] == "incremental"
    assert run.count("people") == 0


@pytest.mark.parametrize(
    "state",
    [
        {"people": {}},
        {"value": {"bookmarks": {}}},
        {"type": "STATE", "value": 3},
        {"type": "STATE"},
        {"singer_state": None},
        [],
        3,
    ],
    ids=str,
)
def test_what_is_no_state_is_refused(settled: Settle, state: Any) -> None:  # noqa: ANN401 - any JSON
    """It would be a full read that nobody asked for."""
    account = settled("copper").account
    said = "the state is no Singer state" if isinstance(state, dict) else "is no JSON object"
    refused(account.sync(state=state, expect=1), said)
    assert account.app.stats.log == []


@pytest.mark.parametrize("state", [{}, {"bookmarks": {}}, {"singer_state": {}}], ids=str)
def test_an_empty_state_is_a_first_run(settled: Settle, state: dict[str, Any]) -> None:
    """Meltano gives one."""
    assert settled("copper").account.sync(state=state).audit()["people"]["mode"] == "full"


@pytest.mark.parametrize("name", CRMS)
def test_nothing_selected_is_an_error(settled: Settle, name: str) -> None:
    """A run that reads nothing and says that all went well hides a mistake."""
    account = settled(name).account
    catalogs: dict[str, dict[str, Any]] = {
        "the catalog has another form": {},
        "no stream is selected": {"streams": []},
        "no stream is selected; ": selecting(account.everything),
    }
    for said, catalog in catalogs.items():
        command = account.tap.command(catalog={"streams": []})
        command[-1] = account.tap.write("catalog", catalog)
        run = account.tap.call(command)
        assert run.code == 1
        refused(run, said.removesuffix("; "))
