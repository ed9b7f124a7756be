"""Each part of the bench has in its tables what it should, on tiny accounts; how long anything took is not judged."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from typing_extensions import override

from bench import loading
from bench.loaders.__main__ import LoaderError
from bench.speed import __main__ as command
from bench.speed import alone, growth, limit, memory, peers, pipelines
from bench.speed.__main__ import KEPT, PARTS, main
from bench.speed.builds import Build, Ran, build_of, this_build
from bench.speed.environments import ROOT, NotInstalled
from bench.speed.page import Found, Table, page, picture
from bench.speed.plan import QUICK, Plan
from bench.speed.running import Cost, Failed, Program, Written, written
from sandbox.stats import Answered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    sizes: dict[str, Any] = dict(QUICK)
    return Plan(**sizes, folder=tmp_path, builds=(this_build(tmp_path),))


@pytest.fixture
def both(plan: Plan) -> Plan:
    """This build, and another one that is read in the same way."""
    return replace(plan, builds=(*plan.builds, Build("another", ROOT, Path(sys.executable), plan.folder)))


def column(table: Table, name: str) -> list[str]:
    return [row[table.head.index(name)] for row in table.rows]


class Losing(Build):
    """Writes one row less than there is."""

    @override
    def discover(self, config: dict[str, Any]) -> dict[str, Any]:
        """Return a catalog of people."""
        del config
        return {"streams": [{"tap_stream_id": "people", "metadata": [{"breadcrumb": [], "metadata": {}}]}]}

    @override
    def run(
        self, config: dict[str, Any], catalog: dict[str, Any], state: bytes | None = None, reader: float | None = None
    ) -> Ran:
        """Return a run that lost something."""
        del config, catalog, state, reader
        return Ran(Cost(1.0, 1.0, 1.0), Written(59, {"people": set(range(59))}, b"{}"))


def test_the_tap_alone_is_read_by_each_build_with_start_up_apart(both: Plan) -> None:
    copper = alone.cases(both)[0]
    runs = alone.readings(copper, both.builds, rounds=1)
    assert list(runs) == [("first run", "this build"), ("first run", "another")]
    for some in runs.values():
        assert [(whole.written.rows(), idle.written.rows()) for whole, idle in some] == [(60, alone.FEW)]
        assert all(whole.cost.cpu > 0 and whole.cost.peak > 1 for whole, _ in some)


def test_copera_is_read_first_and_unchanged(plan: Plan) -> None:
    case = alone.cases(plan)[2]
    runs = alone.readings(case, plan.builds, rounds=1)
    assert list(runs) == [("first run", "this build"), ("unchanged", "this build")]
    assert runs["first run", "this build"][0][0].written.rows() == plan.rows
    assert runs["unchanged", "this build"][0][0].written.rows() == 0


def test_the_table_of_the_tap_alone_has_each_case_and_build(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    def made(case: alone.Case, builds: tuple[Build, ...], rounds: int) -> dict[Any, Any]:
        cost = {"few": 1.0, "this build": 3.0, "another": 5.0}
        runs = {name: Ran(Cost(cpu, cpu, 50.0), Written(7, {"rows": {1, 2}}, b"{}")) for name, cpu in cost.items()}
        whats = ["first run", "unchanged"] if case.again else ["first run"]
        return {(what, one.name): [(runs[one.name], runs["few"])] * rounds for what in whats for one in builds}

    monkeypatch.setattr(alone, "readings", made)
    found = alone.measure(replace(plan, builds=(*plan.builds, Losing("another", ROOT, Path(), plan.folder))))
    (table,) = found.tables
    names = ["Copper people", "Close leads and contacts", "Copera rows, first run", "Copera rows, unchanged"]
    assert column(table, "read") == [name for name in names for _ in range(2)]
    assert column(table, "build") == ["this build", "another"] * 4
    assert column(table, "start-up taken off, CPU s") == ["2.00", "4.00"] * 4
    assert column(table, "to this build") == ["1.00", "2.00"] * 4
    assert found.cpu == {"this build": [(12.0, 1.0), (60.0, 3.0)], "another": [(12.0, 1.0), (60.0, 5.0)]}


@pytest.mark.parametrize("part", [growth.measure, lambda plan: alone.readings(alone.cases(plan)[0], plan.builds, 1)])
def test_a_missing_row_ends_the_bench(plan: Plan, part: Callable[[Plan], object]) -> None:
    losing = Losing("losing", ROOT, Path(), plan.folder)
    with pytest.raises(Failed, match=r"59 .*of 12 people arrived|59.* rows arrived of 60"):
        part(replace(plan, builds=(losing,)))


def test_a_large_account_is_compared_with_a_small_one(plan: Plan) -> None:
    found = growth.measure(plan)
    (table,) = found.tables
    assert column(table, "people") == ["12", "40", "120"]
    assert [x for x, _ in found.cpu["large account"]] == [12.0, 40.0, 120.0]


def test_peers_are_measured_beside_this_build_or_left_out_with_a_sentence(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def installed(name: str, packages: tuple[str, ...]) -> Path:
        if name == "dlt":
            raise NotInstalled("no such thing")
        assert all("==" in one for one in packages)  # pinned
        return Path(sys.executable)  # it has the Singer SDK, and not orjson

    monkeypatch.setattr(peers, "environment", installed)
    (table,) = peers.measure(replace(plan, peers=("floor", "sdk", "dlt", "tap-copper", "tap-closeio"))).tables
    told = dict(zip(column(table, "way"), column(table, "CPU s"), strict=True))
    assert list(told)[:2] == ["this build", "a stock tap on the Singer SDK"]
    assert all(float(told[name]) > 0 for name in list(told)[:2])
    assert "No module named 'orjson'" in told["a loop of `requests` and `orjson`"]
    assert told["dlt into JSON lines"] == "not measured, since it does not install: no such thing"
    assert "is fixed in its code" in told["tap-copper"]
    assert "is fixed in its code" in told["tap-closeio"]


def test_a_loader_that_does_not_install_is_left_out_with_a_sentence(
    both: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def measured(people: int, rounds: int, ways: list[loading.Way], other: loading.Checkout | None) -> dict[str, Any]:
        assert (people, rounds, other) == (60, 1, loading.Checkout(ROOT, Path(sys.executable)))
        asked.append([way.name for way in ways])
        if ways[0].loader == "duckdb":
            raise LoaderError("does not install: no such thing")
        return {ways[0].loader: {way.name: [loading.Cost(1.0, 3.0, 80.0)] for way in ways}}

    monkeypatch.setattr(loading, "measure", measured)
    (table,) = pipelines.measure(both).tables
    assert asked == [["this build", "this build, `nested_values: text`", "another"]] * 2
    assert [row[:2] for row in table.rows] == [("postgres", name) for name in asked[0]]
    assert column(table, "both") == ["4.0"] * 3
    assert table.notes[1:] == ("target-duckdb is not measured: it does not install: no such thing.",)


def test_a_load_tells_the_peak_of_the_loader_itself(tmp_path: Path) -> None:
    loader = tmp_path / "loader.py"
    loader.write_text("import sys; assert sys.stdin.read() == 'a line\\n'; block = b'x' * 60_000_000")
    command: list[str | Path] = [sys.executable, loading.MEASURED, tmp_path / "peak", loader]
    cost = loading.load([sys.executable, "-c", "print('a line')"], command, cwd=tmp_path, peak=tmp_path / "peak")
    assert 60 < cost.peak < 90
    loader.write_text("raise SystemExit(3)")
    with pytest.raises(RuntimeError, match="tap 0, loader 768"):
        loading.load([sys.executable, "-c", ""], command, cwd=tmp_path, peak=tmp_path / "peak")


def test_the_use_of_the_limit_is_told_with_refusals_and_requests(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limit, "LATENCY_MS", 5)
    found = limit.measure(plan)
    use, unchanged, counted = found.tables
    assert column(use, "run") == [
        "Copper, 180 in 60 s",
        "Copper, 180 in 10 s",
        "Copper, 180 in 10 s, pages cut to 20",
        "Close, 10 a second for each group",
    ]
    assert all(row.endswith("%") for row in column(use, "of the even rate"))
    assert all(number.isdigit() for number in column(use, "429s"))
    assert "of the busiest group" in column(use, "requests")[3]
    assert column(unchanged, "unchanged account") == ["Copper, 20 ms", "Copera, 20 ms"]
    assert column(counted, "read") == ["Copper people", "Copper activities", "Close leads"]
    assert column(counted, "rows") == ["60", "60", "40"]
    for _, _, rows, requests, each, of_list, each_of_list in counted.rows:
        assert int(of_list) < int(requests)
        assert float(each) == pytest.approx(1_000 * int(requests) / int(rows), abs=0.01)
        assert float(each_of_list) == pytest.approx(1_000 * int(of_list) / int(rows), abs=0.01)
    assert len(found.sent["this build"]) == int(column(use, "requests")[0])
    assert found.sent["this build"][0] == (0.0, 1.0)


def test_shares_of_a_limit_are_those_of_its_rate_and_of_what_it_admits() -> None:
    evenly = [number / 18 for number in range(541)]  # 30 seconds of 180 in 10
    even, admitted = limit.shares(evenly, 180, 10.0)
    assert even == pytest.approx(1.0)
    assert admitted == pytest.approx(541 / 720)
    in_bursts = [float(burst) for burst in (0, 10, 20) for _ in range(180)]
    assert limit.shares(in_bursts, 180, 10.0)[1] == 1.0


def test_the_busiest_group_of_close_shares_a_method_and_a_resource() -> None:
    def asked(at: float, method: str, path: str) -> Answered:
        return Answered(0, at, method, path, {}, b"", 200, None, refused=False, sent=0)

    log = [
        asked(3, "GET", "lead"),
        asked(2, "GET", "lead/x"),
        asked(1, "POST", "lead"),
        asked(4, "POST", "data/search"),
    ]
    assert limit.busiest(log) == [2, 3]


def test_memory_is_told_of_all_streams_and_behind_a_slow_reader(plan: Plan) -> None:
    streams, reader = memory.measure(plan).tables
    assert column(streams, "run") == [f"{crm}, as discovered" for crm in ("Copper", "Close", "Copera")]
    assert all(int(rows.replace(",", "")) > plan.all_streams for rows in column(streams, "rows"))
    assert column(reader, "reader") == ["quick", "slow: 400 kB a second"]
    assert all(float(peak) > 10 for table in (streams, reader) for peak in column(table, "peak, MB"))


def test_the_peak_of_a_run_is_its_own_and_a_slow_reader_makes_it_wait(tmp_path: Path) -> None:
    held = b"x" * 300_000_000
    script = tmp_path / "script.py"
    script.write_text("import sys; sys.stdout.write('y' * 200_000)")
    program, output = Program(Path(sys.executable), str(script), tmp_path), tmp_path / "output"
    quick, slow = program.run(output), program.run(output, reader=400_000.0)
    assert output.read_bytes() == b"y" * 200_000
    assert slow.wall >= 0.25  # it ends when all but a pipe's worth is read
    assert all(1 < cost.peak < 100 for cost in (quick, slow)), (quick, slow, len(held))
    script.write_text("raise SystemExit('no such row')")
    with pytest.raises(Failed, match=r"script\.py ended with 1: no such row"):
        program.run(output)


def test_rows_are_counted_once_of_a_tap_and_of_airbyte(tmp_path: Path) -> None:
    path = tmp_path / "output"
    path.write_text(
        '{"type":"SCHEMA","stream":"people"}\n'
        '{"type":"RECORD","stream":"people","record":{"id":1,"data":"text"}}\n'
        '{"type":"RECORD","stream":"people","record":{"id":1}}\n'
        '{"type":"RECORD","stream":"rows","record":{"_id":"a","id":1}}\n'
        '{"type":"RECORD","stream":"rows","record":{"_id":"b","id":1}}\n'
        '{"type":"RECORD","stream":"sync_audit","record":{"id":5}}\n'
        '{"type":"RECORD","record":{"stream":"people","data":{"id":2}}}\n'
        '{"type":"STATE","value":{"bookmarks":{}}}\n'
    )
    found = written(path)
    assert (found.records, found.rows(), found.rows(("people",))) == (6, 4, 2)
    assert found.state == b'{"bookmarks":{}}'


def test_a_commit_that_needs_other_packages_has_an_environment_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, list[str]]] = []
    needed: Iterator[list[str]] = iter([["ijson"], ["msgspec"], ["msgspec"], ["msgspec"]])

    def environment(name: str, packages: list[str]) -> Path:
        asked.append((name, packages))
        return Path("/its/own")

    monkeypatch.setattr("bench.speed.builds.environment", environment)
    monkeypatch.setattr("bench.speed.builds.dependencies", lambda _tree: next(needed))
    assert build_of("HEAD", tmp_path).python == Path("/its/own")
    assert asked == [("commit-HEAD", ["ijson"])]
    (again := tmp_path / "again").mkdir()
    assert build_of("HEAD", again).python == Path(sys.executable)
    assert len(asked) == 1


def test_the_page_is_what_is_printed_and_parts_can_be_chosen(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def part(plan: Plan) -> Found:
        return Found([Table(f"{plan.people} people", ("a",), [("b",)], ("note",))], {"line": [(0.0, 0.0), (2.0, 3.0)]})

    monkeypatch.setitem(PARTS, "growth", part)
    main(["--parts", "growth", "--quick", "--people", "70", "--against", "none"])
    printed = capsys.readouterr().out
    assert "## 70 people\n\n`./scripts/bench --parts growth --quick --people 70 --against none`, " in printed
    assert "before it began.\n\n| a |\n| --- |\n| b |\n\nnote\n" in printed


def test_the_page_is_made_of_what_is_kept() -> None:
    kept = msgspec.json.decode(KEPT.read_bytes(), type=dict[str, Found])
    assert list(kept) == list(PARTS)
    assert page(list(kept.values())) == (ROOT / "docs" / "speed.md").read_text("utf-8")
    assert picture(list(kept.values())) == (ROOT / "docs" / "speed.svg").read_text("utf-8")


def test_a_part_that_is_measured_anew_leaves_the_others_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def part(plan: Plan) -> Found:
        return Found([Table("a title", ("a",), [(f"{plan.people}",)])])

    for name in ("KEPT", "PAGE", "PICTURE"):
        monkeypatch.setattr(command, name, tmp_path / name)
    for name in ("alone", "memory"):
        monkeypatch.setitem(PARTS, name, part)
    for name, count in (("memory", "7"), ("alone", "8"), ("memory", "9")):
        main(["--parts", name, "--quick", "--people", count, "--against", "none", "--write"])
    kept = msgspec.json.decode((tmp_path / "KEPT").read_bytes(), type=dict[str, Found])
    assert [(name, one.tables[0].rows) for name, one in kept.items()] == [("alone", [("8",)]), ("memory", [("9",)])]
    assert (tmp_path / "PAGE").read_text("utf-8") == page(list(kept.values()))
    assert (tmp_path / "PICTURE").exists()


def test_the_picture_has_both_plots() -> None:
    found = [Found(cpu={"this": [(0, 1), (10, 2)]}), Found(sent={"limit": [(0, 0), (60, 180)]})]
    drawn = picture(found)
    assert drawn.count("<polyline") == 2
    assert ">this</text>" in drawn
    assert ">limit</text>" in drawn
    assert "speed.svg" in page(found)
