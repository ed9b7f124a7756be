"""What tests start is searched for secrets: all of it goes through the modules that do so."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests import leaks, warm_tap
from tests.singer import environment
from tests.started import PIPE, Program, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TESTS = Path(__file__).parents[1]
#: What starts a process, by module.
STARTS = {
    "subprocess": {"Popen", "run", "call", "check_call", "check_output", "getoutput", "getstatusoutput"},
    "os": {"fork", "forkpty", "posix_spawn", "posix_spawnp", "popen", "system"},
    "pty": {"fork", "spawn"},
    "asyncio": {"create_subprocess_exec", "create_subprocess_shell"},
    "multiprocessing": {"Process", "Pool", "get_context"},
    "concurrent.futures": {"ProcessPoolExecutor"},
}
#: Modules that start processes, and search what they show, or have others do so.
SEARCHING = {
    "started.py": "runs any program",
    "warm_tap.py": "starts what forks runs, and searches each of these",
    "forker.py": "forks these",
    "meltano/programs.py": "starts what forks runs of a program, and searches each of these",
    "meltano/warm_program.py": "forks these",
    "proof/crashes.py": "forks a run that is killed",
    "inbox/test_killed.py": "forks receivers that are killed",
}
SECRET = "9f8e7d6c5b4a-no-word"
SHOWS = "import os, sys; print(os.environ['TAP_CRM_API_KEY'], file=sys.{})"


def _starts(tree: ast.Module) -> Iterator[str]:
    """Yield what a module names that starts a process."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {one.asname or one.name: one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            found = STARTS.get(node.module or "", set())
            yield from (f"{node.module}.{one.name}" for one in node.names if one.name in found)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = names.get(node.value.id, "")
            is_one = node.attr in STARTS.get(module, ()) or (module == "os" and node.attr.startswith(("exec", "spawn")))
            if is_one and not _is_type(tree, node):
                yield f"{module}.{node.attr}"


def _is_type(tree: ast.Module, node: ast.Attribute) -> bool:
    """Tell whether a name stands in an annotation, or between brackets as a type does."""
    places = [one.annotation for one in ast.walk(tree) if isinstance(one, ast.arg | ast.AnnAssign)]
    places += [one.returns for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)]
    return any(node in ast.walk(one) for one in places if one is not None)


def test_no_other_module_starts_a_process() -> None:
    found = {}
    for path in sorted(TESTS.rglob("*.py")):
        name = path.relative_to(TESTS).as_posix()
        if starts := {*_starts(ast.parse(path.read_text("utf-8")))}:
            found[name] = starts
    others = {name: starts for name, starts in found.items() if name not in SEARCHING}
    assert not others, f"`tests.started` starts programs, and searches what they show: {others}"
    assert found.keys() == SEARCHING.keys()


@pytest.mark.parametrize(
    "text",
    [
        "import subprocess\nsubprocess.run(['x'])",
        "import subprocess as sub\nsub.Popen(['x'])",
        "from subprocess import check_output",
        "import os\nos.execvp('x', [])",
        "import multiprocessing\nmultiprocessing.get_context('fork')",
    ],
)
def test_each_way_to_start_a_process_is_seen(text: str) -> None:
    assert [*_starts(ast.parse(text))]


def test_a_type_starts_nothing() -> None:
    text = "import subprocess\ndef f(a: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]: ..."
    assert not [*_starts(ast.parse(text))]


def _ran(command: list[str], variables: dict[str, str]) -> object:
    return run(command, variables=variables)


def _read_at_its_end(command: list[str], variables: dict[str, str]) -> object:
    with Program(command, variables=variables) as program:
        return program.wait(60)


def _read_by_lines(command: list[str], variables: dict[str, str]) -> object:
    with Program(command, variables=variables, stdout=PIPE, stderr=PIPE) as program:
        assert program.stdout
        return program.stdout.readline()


def _told(command: list[str], variables: dict[str, str]) -> object:
    with Program(command, variables=variables, stdout=PIPE, stderr=PIPE) as program:
        return program.communicate(timeout=60)


@pytest.mark.parametrize("output", ["stdout", "stderr"])
@pytest.mark.parametrize("start", [_ran, _read_at_its_end, _read_by_lines, _told])
def test_both_outputs_of_a_program_are_searched(start: Callable[..., Any], output: str) -> None:
    command = [sys.executable, "-c", SHOWS.format(output)]
    with pytest.raises(leaks.SecretShownError, match="api_key"):
        start(command, {**os.environ, "TAP_CRM_API_KEY": SECRET})


def test_what_a_program_says_is_what_the_test_reads() -> None:
    with Program([sys.executable, "-c", "print(input()); print(input())"], stdin=PIPE, stdout=PIPE) as program:
        assert program.stdin
        assert program.stdout
        program.stdin.write(b"one\ntwo\n")
        program.stdin.flush()
        assert program.stdout.readline() == b"one\n"
        assert program.communicate(timeout=60)[0] == b"two\n"
    assert program.returncode == 0


@pytest.mark.parametrize("setting", ["journal", "inbox", "report"])
def test_files_that_a_run_has_written_are_searched(tmp_path: Path, setting: str) -> None:
    written = tmp_path / "written"
    config = tmp_path / "config.json"
    address = f"sqlite:///{written}" if setting == "journal" else str(written)
    config.write_text(json.dumps({"api_key": SECRET, setting: address}))
    command = [sys.executable, "-c", f"open({str(written)!r}, 'w').write({SECRET!r})", "--config", str(config)]
    with pytest.raises(leaks.SecretShownError, match="written"):
        run(command)


def test_a_pipe_that_nobody_has_searched_is_told(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with (tmp_path / "log").open("wb") as log, os.fdopen(reading, "rb") as output:
        command = [sys.executable, "-m", "tap_crm", "--version"]
        process = warm_tap.WarmRun(command, environment(measured=False), writing, log.fileno())
        os.close(writing)
        output.read()
        assert process.wait(60) == 0
        with pytest.raises(AssertionError, match="shown"):
            process.close()


def test_a_program_that_takes_too_long_is_ended() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run([sys.executable, "-c", "import time; time.sleep(60)"], timeout=0.2)
