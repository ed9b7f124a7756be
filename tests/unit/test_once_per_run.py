"""What several streams need is made once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tap_crm import errors
from tap_crm.contract.once_per_run import OncePerRun
from tap_crm.providers.close.events import EventLog


def test_made_once_for_all_who_ask_at_the_same_time() -> None:
    """The others wait for who came first."""
    once_per_run, made, gate = OncePerRun(), [], threading.Barrier(8)

    def make() -> object:
        made.append(threading.get_ident())
        return object()

    def ask(_: int) -> object:
        gate.wait(5)
        return once_per_run.get("name", make)

    with ThreadPoolExecutor(8) as pool:
        things = set(pool.map(ask, range(8)))
    assert len(things) == len(made) == 1


def test_names_tell_things_apart() -> None:
    """Each name has its own."""
    once_per_run = OncePerRun()
    assert [once_per_run.get("a", lambda: "A"), once_per_run.get("b", lambda: "B")] == ["A", "B"]
    assert once_per_run.get("a", lambda: "C") == "A"


def test_nothing_is_something() -> None:
    """What is None is not made again."""
    once_per_run, made = OncePerRun(), []
    for _ in range(2):
        assert once_per_run.get("name", lambda: made.append(1)) is None
    assert made == [1]


def test_who_comes_after_a_failure_tries_again() -> None:
    """The failure is raised to the one whose turn it was."""
    once_per_run = OncePerRun()

    def fail() -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        once_per_run.get("name", fail)
    assert once_per_run.get("name", lambda: 7) == 7


def test_one_thing_may_need_another() -> None:
    """While it is made, other names can be asked for."""
    once_per_run = OncePerRun()
    assert once_per_run.get("outer", lambda: once_per_run.get("inner", lambda: 3) + 1) == 4


def test_a_failure_is_waited_for_once() -> None:
    """Whoever asks later has the same error at once."""
    once_per_run, asked = OncePerRun(), []

    def fail() -> None:
        asked.append(1)
        raise errors.GaveUp("definitions: gave up")

    for _ in range(3):
        with pytest.raises(errors.GaveUp, match="gave up"):
            once_per_run.get_once("name", fail)
    assert len(asked) == 1


def test_what_was_made_is_closed_in_the_end() -> None:
    """A file, for one; what cannot be closed stays as it is."""
    once_per_run, log = OncePerRun(), EventLog()
    once_per_run.get("log", lambda: log)
    once_per_run.get("rows", lambda: [1, 2])
    once_per_run.close()
    with pytest.raises(ValueError, match="closed file"):
        log._file.read()  # noqa: SLF001 - nothing else shows it
    assert once_per_run.get("rows", list) == [1, 2]


def test_what_is_made_when_the_run_is_over_is_closed_at_once() -> None:
    """A reading may be at its last request still."""
    once_per_run, log = OncePerRun(), EventLog()
    once_per_run.close()
    assert once_per_run.get("log", lambda: log) is log
    with pytest.raises(ValueError, match="closed file"):
        log._file.read()  # noqa: SLF001 - nothing else shows it
