"""The command `tap-crm-call`: one answer, or every page, as JSON lines."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.faults import FaultRule
from tap_crm.call.command import main
from tests.started import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.endpoints.conftest import Start

#: Several pages of what the command reads as large as they may be.
MANY = {"copper": {"people": 210}, "close": {"contacts": 210, "events": 110}, "copera": {}}
SORTED = '{"sort_by": "date_created", "sort_direction": "asc"}'


@pytest.fixture
def call(capsysbinary: pytest.CaptureFixture[bytes]) -> Callable[..., tuple[int, list[Any], str]]:
    """Return a function that runs the command in this process: exit code, lines, and what stands on stderr."""

    def run(*arguments: str) -> tuple[int, list[Any], str]:
        with pytest.raises(SystemExit) as end:
            main(arguments)
        out, err = capsysbinary.readouterr()
        return int(end.value.code or 0), [json.loads(line) for line in out.splitlines()], err.decode()

    return run


def test_one_answer_is_one_line(start: Start, call: Callable[..., tuple[int, list[Any], str]]) -> None:
    """An object as it came; nothing on stderr."""
    app, tap = start("copper")
    assert call("--config", tap.write("config", tap.config), "/account") == (0, app.account.records("account"), "")


def test_a_list_is_a_line_for_each_record(start: Start, call: Callable[..., tuple[int, list[Any], str]]) -> None:
    """A bare list in one answer; a query as it was given."""
    _, tap = start("copper")
    config = tap.write("config", tap.config)
    code, lines, _ = call("--config", config, "GET", "/tags", "--query", "sort_by=name")
    assert (code, len(lines)) == (0, 3)


@pytest.mark.parametrize(
    ("crm", "arguments", "stream"),
    [
        ("copper", ("POST", "/people/search", "--body", SORTED), "people"),
        ("copper", ("/pipelines",), "pipelines"),
        ("close", ("/contact/",), "contacts"),
        ("close", ("/event",), "events"),
        ("close", ("/status/lead/",), "lead_statuses"),
        ("copera", ("/workspace/members",), "members"),
    ],
)
def test_all_reads_every_page(
    start: Start,
    call: Callable[..., tuple[int, list[Any], str]],
    crm: str,
    arguments: tuple[str, ...],
    stream: str,
) -> None:
    """Every record once, however the list goes on."""
    app, tap = start(crm, MANY[crm])
    code, lines, said = call("--config", tap.write("config", tap.config), "--all", *arguments)
    assert (code, said) == (0, "")
    key = "_id" if crm == "copera" else "id"
    assert sorted(line[key] for line in lines) == sorted(record[key] for record in app.account.records(stream))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("/nothing",), "not found (404)"),
        (("DELETE", "/people/1"), "may write; add `--write`"),
        (("POST", "/people"), "may write; add `--write`"),
        (("--all", "--write", "PUT", "/people/1"), "sent once"),
        (("FETCH", "/people"), "say a method (GET, POST, PUT, PATCH, DELETE)"),
        (("https://elsewhere.example/x",), "must be one below the API's base"),
        (("/people/../x",), "must be one below the API's base"),
        (("/account", "--query", "x"), "`--query` takes NAME=VALUE"),
        (("/account", "--body", "{}"), "`--body` has no use with GET"),
        (("POST", "/people/search", "--body", "["), "`--body` is no JSON object"),
        (("POST", "/people/search", "--body", "@/no/such/file"), "`--body`: No such file or directory"),
        (("/account", "--paging", "page"), "`--paging` goes with `--all`"),
    ],
)
def test_what_cannot_be_asked_is_one_line(
    start: Start, call: Callable[..., tuple[int, list[Any], str]], arguments: tuple[str, ...], says: str
) -> None:
    """Exit code 1, nothing on stdout."""
    _, tap = start("copper")
    code, lines, said = call("--config", tap.write("config", tap.config), *arguments)
    assert (code, lines) == (1, [])
    assert says in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("config", ["[]", "{", None])
def test_a_config_that_cannot_be_used_is_one_line(
    call: Callable[..., tuple[int, list[Any], str]], tmp_path: Path, config: str | None
) -> None:
    """The file is named, its content is not."""
    file = tmp_path / "config.json"
    if config is not None:
        file.write_text(config)
    code, _, said = call("--config", str(file), "/account")
    assert code == 1
    assert "config.json" in said


def test_settings_come_from_the_environment(
    start: Start, call: Callable[..., tuple[int, list[Any], str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--config ENV`, as with the tap."""
    app, tap = start("copper")
    for name, value in tap.config.items():
        monkeypatch.setenv(f"TAP_CRM_{name.upper()}", str(value))
    assert call("--config", "ENV", "/account")[:2] == (0, app.account.records("account"))


def test_settings_come_from_a_file_of_variables_and_go_before_those_of_a_config(
    start: Start,
    call: Callable[..., tuple[int, list[Any], str]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """As with the tap, whatever the order of the options."""
    app, tap = start("copper")
    (tmp_path / ".env").write_text("".join(f"TAP_CRM_{name.upper()}='{text}'\n" for name, text in tap.config.items()))
    monkeypatch.chdir(tmp_path)
    other = tap.write("config", {**tap.config, "api_key": "z" * 32})
    assert call("--config", "ENV", "--config", other, "/account")[:2] == (0, app.account.records("account"))


def test_verbose_shows_the_exchange_without_the_key(start: Start) -> None:
    """Method, path, status, waits, and what is left of the limit."""
    _, tap = start("close")
    command = [sys.executable, "-m", "tap_crm.call", "--config", tap.write("config", tap.config), "--verbose", "/me/"]
    said = run(command).stderr.decode()
    assert "GET /me/: 200 in " in said
    assert "rate limit left: " in said
    assert tap.config["api_key"] not in said


def test_a_refused_key_is_not_shown(start: Start, call: Callable[..., tuple[int, list[Any], str]]) -> None:
    """One line says what to check."""
    _, tap = start("copper")
    code, _, said = call("--config", tap.write("config", {**tap.config, "api_key": "z" * 32}), "/account")
    assert code == 1
    assert "credentials" in said
    assert "zzz" not in said


def test_a_request_that_writes_is_sent_once(start: Start, call: Callable[..., tuple[int, list[Any], str]]) -> None:
    """After a broken answer nobody knows whether it took effect: that is said, and it is not sent again."""
    app, tap = start("copper")
    app.behaviour.faults.append(FaultRule(["502"], every=1))
    code, lines, said = call("--config", tap.write("config", tap.config), "--write", "DELETE", "/people/1")
    assert (code, lines) == (1, [])
    assert "whether it took effect is not known" in said
    assert app.stats.requests == 1


def test_a_broken_answer_is_asked_for_again(start: Start, call: Callable[..., tuple[int, list[Any], str]]) -> None:
    """As everywhere."""
    app, tap = start("copper")
    app.behaviour.faults.append(FaultRule(["502", "cut_json"], at=[1, 2]))
    assert call("--config", tap.write("config", tap.config), "/account")[:2] == (0, app.account.records("account"))


def test_it_is_a_command(start: Start) -> None:
    """As a process; whoever reads may stop."""
    _, tap = start("copper", MANY["copper"])
    config = tap.write("config", tap.config)
    command = [sys.executable, "-m", "tap_crm.call", "--config", config, "--all", "POST", "/people/search"]
    done = run([*command, "--body", SORTED])
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == MANY["copper"]["people"]
