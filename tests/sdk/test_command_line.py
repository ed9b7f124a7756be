"""The command line: odd input is one line and exit code 1, `--test` is useful and quiet."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import gc
import json
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import close, copera, copper
from sandbox.server import running
from tap_crm.contract.signals import REFUSED
from tap_crm.providers import PROVIDERS
from tests import in_process, warm_tap
from tests.singer import environment, execute, parse

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from sandbox.simulator import Simulator

COMMAND = [sys.executable, "-m", "tap_crm"]
UNREACHABLE = "http://127.0.0.1:9/v1"
SECRET = "S3CR3T-d0-n0t-sh0w"
GOOD = {"provider": "close", "api_key": "k3y-k3y-k3y", "api_url": UNREACHABLE, "custom_fields": "raw"}
FEW = copper.Shape(
    people=3, companies=3, opportunities=3, leads=3, projects=3, tasks=3, activities=3, custom_fields=1, tags=5
)
ACCOUNTS: dict[str, tuple[Callable[[], Simulator], dict[str, str]]] = {
    "copper": (
        lambda: copper.copper_app(FEW, rate_limit=0),
        {"api_key": copper.API_KEY, "user_email": copper.USER_EMAIL},
    ),
    "close": (
        lambda: close.close_app(
            close.Shape(leads=3, contacts=3, opportunities=3, tasks=3, activities=40, events=3, custom_fields=2),
            rate_limit=0,
        ),
        {"api_key": close.API_KEY},
    ),
    "copera": (
        lambda: copera.copera_app(replace(copera.SMALL, boards=1, tables=2, wide_tables=0, rows=20), rate_limit=0),
        {"api_key": copera.PAT},
    ),
}


def call(*arguments: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command, in this process where that is possible."""
    command, given = [*COMMAND, *arguments], {**environment(), **variables}
    if warm_tap.POSSIBLE:
        return in_process.execute(command, given, measured=warm_tap.is_measured())
    return execute(command, given, 120)


def complaints(done: subprocess.CompletedProcess[bytes]) -> list[str]:
    """Return what the log complains of, without times."""
    return [line.split(" | ", 2)[2] for line in done.stderr.decode().splitlines() if "| ERROR" in line]


def assert_one_line(done: subprocess.CompletedProcess[bytes], *said: str) -> None:
    """Assert that the command failed, and how it said so."""
    log = done.stderr.decode()
    assert done.returncode == 1, log
    assert done.stdout == b""
    assert "Traceback" not in log
    (line,) = complaints(done)
    assert all(part in line for part in said), line


def a_file(folder: Path, content: Any) -> str:  # noqa: ANN401 - any JSON, or bytes
    file = folder / "given.json"
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return str(file)


def test_discovery_that_fails_leaves_no_warning_of_an_open_file(tmp_path: Path) -> None:
    """Meltano gives it the state, and has Python show warnings, which a process of its own does from its start."""
    (tmp_path / "state.json").write_text('{"bookmarks": {}}', "utf-8")
    state = str(tmp_path / "state.json")
    with running(copper.copper_app(FEW, rate_limit=0)) as api_url:
        wrong = {"provider": "copper", "api_key": "wrong", "user_email": copper.USER_EMAIL, "api_url": api_url}
        config = a_file(tmp_path, wrong)
        command = [*COMMAND, "--config", config, "--state", state, "--discover"]
        done = execute(command, {**environment(), "PYTHONWARNINGS": "once"}, 60, warm=False)
    assert done.returncode == REFUSED
    assert b"ResourceWarning" not in done.stderr


@pytest.mark.parametrize("option", [(), ("--discover",), ("--test",)], ids=str)
@pytest.mark.parametrize(
    "secret",
    [{"api_key": [SECRET]}, {"access_token": {"token": SECRET}}, {"oauth": {"client_secret": [SECRET]}}],
    ids=str,
)
def test_no_secret_of_a_wrong_type_is_printed(option: tuple[str, ...], secret: dict[str, Any], tmp_path: Path) -> None:
    done = call("--config", a_file(tmp_path, {"provider": "close", **secret}), *option, LOGLEVEL="DEBUG")
    assert_one_line(done, f"the setting `{next(iter(secret))}")
    assert b"S3CR3T" not in done.stderr


@pytest.mark.parametrize("content", [[1], None, "text", b"", b"{", b"\xff\xfe{"], ids=str)
@pytest.mark.parametrize("option", ["--config", "--catalog", "--state"])
def test_a_file_of_another_form_is_said_in_one_line(option: str, content: Any, tmp_path: Path) -> None:  # noqa: ANN401
    config = tmp_path / "config.json"
    config.write_text(json.dumps(GOOD))
    files = ("--config", str(config), option, a_file(tmp_path, content))
    assert_one_line(call(*files), f"`{option}`: ", "given.json", "is no JSON object" if content != b"" else "is empty")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_config_may_be_written_by_any_editor(encoding: str, tmp_path: Path) -> None:
    file = a_file(tmp_path, json.dumps({**GOOD, "start_date": "soon"}).encode(encoding))
    assert_one_line(call("--config", file), "the setting `start_date` must be")


@pytest.mark.parametrize(
    ("variable", "text", "said"),
    [
        ("TABLES", "not json", "the setting `tables` is text, but no JSON"),
        ("OAUTH", SECRET, "the setting `oauth` is text, but no JSON"),
        ("RETRY_SECONDS", "soon", "the setting `retry_seconds` must be a number"),
        ("FLATTENING_MAX_DEPTH", "deep", "the setting `flattening_max_depth` must be a whole number"),
        ("FLATTENING_ENABLED", "perhaps", "the setting `flattening_enabled` must be true or false"),
        ("STREAM_MAPS", "people", "the setting `stream_maps` must be an object"),
        ("MAX_DELETIONS_PERCENT", "101", "the setting `max_deletions_percent` must be a number from 0 to 100"),
    ],
)
def test_a_variable_that_cannot_be_used_is_said_by_the_name_of_its_setting(
    variable: str, text: str, said: str, tmp_path: Path
) -> None:
    done = call("--config", a_file(tmp_path, GOOD), "--config", "ENV", **{f"TAP_CRM_{variable}": text})
    assert_one_line(done, said)
    assert b"S3CR3T" not in done.stderr


def test_variables_of_any_type_are_taken(tmp_path: Path) -> None:
    """Numbers, switches, objects and lists as text, and empty ones as if they were not there."""
    variables = {
        "MAX_DELETIONS_PERCENT": "100",
        "ACTIVITY_LOOKBACK_DAYS": "0.5",
        "RETRY_SECONDS": "0",
        "REQUEST_TIMEOUT_SECONDS": "",
        "FLATTENING_ENABLED": "",
        "RECONCILE": "",
        "STREAM_MAPS": "",
        "TABLES": "[]",
        "STREAM_MAP_CONFIG": '{"a": 1}',
    }
    given = {f"TAP_CRM_{name}": text for name, text in variables.items()}
    done = call("--config", a_file(tmp_path, GOOD), "--config", "ENV", "--discover", **given)
    assert_one_line(done, f"no connection to {UNREACHABLE}")


def test_a_wrong_name_is_warned_of_with_the_nearest_one(tmp_path: Path) -> None:
    done = call("--config", a_file(tmp_path, {"provder": "close", "api_key": SECRET}))
    assert_one_line(done, "the setting `provider` is missing")
    assert "the setting `provder` does not exist and is ignored; did you mean `provider`?" in done.stderr.decode()


def test_settings_are_described_without_any_config() -> None:
    done = call("--about", "--format", "json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["settings"]["properties"].keys() > GOOD.keys()


@pytest.fixture(scope="module", params=PROVIDERS)
def config(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a small account of a CRM, and give the file with a tap's config for it."""
    app, credentials = ACCOUNTS[request.param]
    with running(app()) as url:
        given = {"provider": request.param, **credentials, "api_url": url, "requests_per_minute": 0}
        yield a_file(tmp_path_factory.mktemp(request.param), given)


@pytest.fixture(scope="module")
def tested(config: str) -> subprocess.CompletedProcess[bytes]:
    """Give what a test of an account writes."""
    return call("--config", config, "--test")


def test_a_test_writes_the_schema_of_every_stream_with_its_keys(
    config: str, tested: subprocess.CompletedProcess[bytes]
) -> None:
    """Also of those that are off by default; nothing is complained of where nothing is wrong."""
    offered = {entry["tap_stream_id"] for entry in json.loads(call("--config", config, "--discover").stdout)["streams"]}
    of_schemas = call("--config", config, "--test=schema")
    for done, types in ((tested, {"SCHEMA", "RECORD", "STATE"}), (of_schemas, {"SCHEMA"})):
        assert (done.returncode, complaints(done)) == (0, [])
        run = parse(done.stdout, log=done.stderr.decode())
        assert run.schemas.keys() | {"sync_audit"} == offered
        for message in run.schemas.values():
            assert set(message["key_properties"]) <= message["schema"]["properties"].keys()
        written = {message["type"] for message in run.messages} - {"ACTIVATE_VERSION"}  # of streams of one record
        assert written == types


def test_a_test_leaves_no_file_open(config: str) -> None:
    """One that is left is told by Python as soon as it is collected."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ResourceWarning)
        call("--config", config, "--test")
        gc.collect()
    assert [str(one.message) for one in told] == []


def test_a_test_reads_one_record_of_a_stream(tested: subprocess.CompletedProcess[bytes]) -> None:
    run = parse(tested.stdout)
    assert {run.count(stream) for stream in run.schemas} <= {0, 1}
    assert sum(run.count(stream) for stream in run.schemas) > len(run.schemas) / 2


WRONG = {
    "copper": {"api_key": "wr0ng-wr0ng-wr0ng"},
    "close": {"api_key": "api_wr0ng.wr0ng-wr0ng"},
    "copera": {"api_key": "cp_pat_wr0ng-wr0ng-wr0ng"},
}


@pytest.mark.parametrize("option", [(), ("--discover",), ("--test",)], ids=str)
def test_a_refused_key_is_what_the_last_line_says(config: str, option: tuple[str, ...], tmp_path: Path) -> None:
    given = json.loads(Path(config).read_text())
    done = call("--config", a_file(tmp_path, {**given, **WRONG[given["provider"]]}), *option)
    assert done.returncode == REFUSED
    assert "the CRM refused the credentials (401); check that `api_key`" in done.stderr.decode().splitlines()[-1]
    assert "Traceback" not in done.stderr.decode()
    if option != ("--test",):  # there, the SDK says before that a stream failed
        assert all("refused the credentials (401)" in line for line in complaints(done))
    assert "wr0ng" not in done.stderr.decode()


@pytest.mark.parametrize("crm", PROVIDERS)
def test_where_every_stream_fails_no_others_are_called_complete(crm: str, tmp_path: Path) -> None:
    given = {"provider": crm, **ACCOUNTS[crm][1], "api_url": UNREACHABLE, "retry_seconds": 0}
    done = call("--config", a_file(tmp_path, {**given, "custom_fields": "raw"}))
    assert done.returncode == 1
    assert "The others are" not in done.stderr.decode()
    assert f"no connection to {UNREACHABLE}" in done.stderr.decode()
