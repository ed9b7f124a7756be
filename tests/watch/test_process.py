"""The command itself: signals, locks, COMMAND's process, and the lines that it ends with."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import zlib
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox.server import running
from tests import in_process
from tests.started import PIPE, Program
from tests.watch.crms import CRMS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SLOW_SECONDS = 20.0


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Serve a Close that nobody changes."""
    with running(CRMS["close"].app()) as url:
        yield url


@pytest.fixture
def config(url: str, tmp_path: Path) -> str:
    """Return a config; each test has a lock of its own, since a setting differs."""
    path = tmp_path / "config.json"
    content = {"provider": "close", "api_url": url, "requests_per_minute": 0, **CRMS["close"].credentials}
    path.write_text(json.dumps({**content, "retry_seconds": 1 + zlib.crc32(bytes(tmp_path)) % 80_000}), "utf-8")
    return str(path)


@pytest.fixture
def watch(config: str, tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Return a function that starts a watch with some options, and a line of a shell as COMMAND."""
    with ExitStack() as stack:

        def start(line: str, *options: str) -> Program:
            command = [sys.executable, "-m", "tap_crm.watch", "--config", config, *options, "--", "sh", "-c", line]
            environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
            process = Program(command, cwd=tmp_path, variables=environment, stdout=PIPE, stderr=PIPE)
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield start


def until(is_so: Callable[[], bool], what: str = "") -> None:
    """Wait for something."""
    deadline = time.monotonic() + SLOW_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, f"it did not happen: {what}"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("signals", "code"), [(["SIGTERM"], 143), (["SIGINT"], 130), (["SIGTERM", "SIGINT"], 143)], ids=str
)
def test_signals_are_passed_on_and_command_is_waited_for(
    watch: Callable[..., Program], tmp_path: Path, signals: list[str], code: int
) -> None:
    """To all processes of COMMAND; the exit code is that of the first."""
    traps = "".join(f"trap 'echo {name[3:]} >> got' {name[3:]}; " for name in set(signals))
    waits = f"touch ready; until [ -e got ] && [ $(wc -l < got) -ge {len(signals)} ]; do sleep 0.05; done"
    process = watch(f"{traps}{waits}; sleep 0.3; touch ended")
    until((tmp_path / "ready").exists)
    for number, name in enumerate(signals, start=1):
        process.send_signal(getattr(signal, name))
        until(partial(_has_lines, tmp_path / "got", number), name)
    _, said = process.communicate(timeout=SLOW_SECONDS)
    assert process.returncode == code
    assert (tmp_path / "ended").exists()
    assert (tmp_path / "got").read_text("utf-8").split() == [name[3:] for name in signals]
    assert said.decode().splitlines()[-1].endswith(f"ended by {signals[0]}")


def _has_lines(path: Path, count: int) -> bool:
    return _lines(path) == count


def _lines(path: Path) -> int:
    return len(path.read_text("utf-8").split()) if path.exists() else 0


def test_a_signal_reaches_every_process_of_a_pipe(watch: Callable[..., Program], tmp_path: Path) -> None:
    """As a tap and a target in a shell's line are."""
    part = "sh -c 'trap \"touch {0}; exit 0\" TERM; touch {0}-ready; while :; do sleep 0.05; done'"
    process = watch(f"{part.format('tap')} | {part.format('target')}")
    until(lambda: (tmp_path / "tap-ready").exists() and (tmp_path / "target-ready").exists())
    process.terminate()
    process.communicate(timeout=SLOW_SECONDS)
    until(lambda: (tmp_path / "tap").exists() and (tmp_path / "target").exists())
    assert process.returncode == 143


def test_a_signal_ends_a_watch_that_waits_or_asks(watch: Callable[..., Program], tmp_path: Path) -> None:
    """At once."""
    process = watch("touch ran", "--every", "600")
    until((tmp_path / "ran").exists)
    assert process.stderr is not None
    assert "COMMAND at start: exit 0" in process.stderr.readline().decode()
    began = time.monotonic()
    process.terminate()
    process.communicate(timeout=SLOW_SECONDS)
    assert process.returncode == 143
    assert time.monotonic() - began < SLOW_SECONDS / 3


def test_a_killed_watch_leaves_its_command_and_the_next_one_waits_for_it(
    watch: Callable[..., Program], tmp_path: Path
) -> None:
    """Never two at once."""
    line = "mkdir lock || touch twice; touch ready; until [ -e go ]; do sleep 0.05; done; rmdir lock; echo x >> ran"
    first = watch(line)
    until((tmp_path / "ready").exists)
    first.kill()
    first.wait()
    second = watch(line)
    assert second.stderr is not None
    assert "COMMAND of an earlier tap-crm-watch still runs" in second.stderr.readline().decode()
    (tmp_path / "go").touch()
    until(lambda: _lines(tmp_path / "ran") == 2, "the second run")
    assert not (tmp_path / "twice").exists()
    second.terminate()
    second.communicate(timeout=SLOW_SECONDS)


def test_a_second_watch_of_a_config_says_so(watch: Callable[..., Program], config: str, tmp_path: Path) -> None:
    """It runs nothing."""
    process = watch("touch ready; sleep 30")
    until((tmp_path / "ready").exists)
    code, (said,) = called("--config", config, "--", "touch", str(tmp_path / "other"))
    assert code == 1
    assert "another tap-crm-watch runs with this config" in said
    assert not (tmp_path / "other").exists()
    process.terminate()
    process.communicate(timeout=SLOW_SECONDS)


def called(*arguments: str) -> tuple[int, list[str]]:
    """Run the command in this process; return its exit code and the lines that it said."""
    done = in_process.execute([sys.executable, "-m", "tap_crm.watch", *arguments], dict(os.environ), measured=True)
    assert done.stdout == b""
    return done.returncode, done.stderr.decode().splitlines()


@pytest.mark.parametrize("code", [0, 7])
def test_once_ends_with_the_code_of_command(config: str, capfd: pytest.CaptureFixture[str], code: int) -> None:
    """Its input is empty, its outputs are ours, and there is one line for the round."""
    line = f"cat; echo out; echo err >&2; exit {code}"
    ended, (said,) = called("--config", config, "--once", "--", "sh", "-c", line)
    assert ended == code
    assert f"1 request, what is there is known; COMMAND at start: exit {code} after" in said
    assert capfd.readouterr() == ("out\n", "err\n")


def test_once_ends_with_0_if_nothing_changed(config: str, tmp_path: Path) -> None:
    """After one interval."""
    options = ("--once", "--no-first", "--every", "0.1")
    code, said = called("--config", config, *options, "touch", str(tmp_path / "ran"))
    assert code == 0
    assert [line.partition(": ")[2] for line in said] == [
        "round 1: 1 request, what is there is known",
        "round 2: 1 request, nothing changed",
    ]
    assert not (tmp_path / "ran").exists()


def test_an_inbox_that_is_not_there_is_one_line_and_is_not_made(tmp_path: Path, url: str) -> None:
    """A wrong path would look like an inbox that stays empty."""
    config, inbox = tmp_path / "config.json", tmp_path / "inbox.sqlite"
    settings = {"provider": "close", "api_url": url, "api_key": "api_5eed", "inbox": str(inbox)}
    config.write_text(json.dumps(settings), "utf-8")
    code, said = called("--config", str(config), "--", "true")
    assert (code, len(said)) == (1, 1)
    assert "the inbox does not exist; `tap-crm-inbox serve` makes it, or the setting `inbox` is wrong" in said[0]
    assert not inbox.exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--", "no-such-program"), "COMMAND is not found: no-such-program"),
        (("--", "/etc/passwd"), "COMMAND is not executable: /etc/passwd"),
        (("--", "true"), "refused the credentials"),
        (("--catalog", "nowhere.json", "--", "true"), "`--catalog`: No such file or directory: nowhere.json"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    url: str, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    """With exit code 1, and no secret."""
    config = tmp_path / "config.json"
    key = "api_wrong_and_secret"
    config.write_text(json.dumps({"provider": "close", "api_url": url, "api_key": key}), "utf-8")
    code, said = called("--config", str(config), *arguments)
    assert code == 1
    assert says in said[-1]
    assert key not in "".join(said)
