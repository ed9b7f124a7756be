"""Compares this build with another commit side by side: CPU by records, the wall of an unchanged run, use of the limit.

    ./scripts/bench --people 2000 10000 --write

Tables are printed as Markdown; with ``--write`` they are `docs/speed.md`, with `docs/speed.svg` beside it.
"""

from __future__ import annotations

import argparse
import importlib
import io
import json
import os
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.run import only
from bench.trace import CRMS
from sandbox.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.simulator import Simulator

ROOT = Path(__file__).parent.parent
#: What a run that finds nothing new reads, and the limit that is documented: so many requests in so many seconds.
UNCHANGED: dict[str, tuple[dict[str, Any], int]] = {
    "copper": ({"people": 400, "companies": 100, "leads": 100, "activities": 300, "opportunities": 50}, 180),
    "copera": ({"boards": 3, "tables": 9, "rows": 90}, 50),
}
LATENCY_MS, MINUTE = 20, 60.0
COLOURS = ("#1f6feb", "#9a6700", "#1a7f37")


@dataclass(frozen=True)
class Cost:
    """Seconds of CPU and of the wall, and what was written."""

    cpu: float
    wall: float
    written: bytes


class Build:
    """A tree of sources, and how its tap is run."""

    def __init__(self, name: str, tree: Path) -> None:
        self.name, self._tree = name, tree

    def run(self, folder: Path, config: dict[str, Any], *more: str) -> Cost:
        """Run the tap once; raise if it fails."""
        path = folder / "config.json"
        path.write_text(json.dumps(config))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.perf_counter()
        command = [sys.executable, "-m", "tap_crm", "--config", str(path), *more]
        done = subprocess.run(command, capture_output=True, check=False, cwd=self._tree)
        if done.returncode:  # such as an older build that needs a package which this one does not
            last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            raise SystemExit(f"{self.name}: the tap ended with {done.returncode}: {last}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Cost(cpu, time.perf_counter() - began, done.stdout)


def account(crm: str, shape: dict[str, Any], **knobs: Any) -> tuple[Simulator, dict[str, Any]]:  # noqa: ANN401
    """Return an account, and the credentials for it."""
    own = importlib.import_module(f"sandbox.{crm}")
    name, held = CRMS[crm]
    app: Simulator = getattr(own, name)(own.Shape(**shape), **knobs)
    return app, {"provider": crm, **{key: getattr(own, value) for key, value in held.items()}}


def last_state(written: bytes) -> str:
    """Return the value of the last STATE."""
    lines = [line for line in written.split(b"\n") if b'"STATE"' in line[:40]]
    return json.dumps(json.loads(lines[-1])["value"])


def unchanged(build: Build, crm: str, folder: Path) -> tuple[float, int, int, list[float]]:
    """Return the wall, the requests and the refusals of a run without news by default settings, and the arrivals."""
    shape, limit = UNCHANGED[crm]
    app, config = account(crm, shape, rate_limit=limit, rate_window=MINUTE, latency_ms=LATENCY_MS)
    with running(app) as url:
        config["api_url"] = url
        catalog, state = folder / "catalog.json", folder / "state.json"
        catalog.write_bytes(build.run(folder, config, "--discover").written)
        first = build.run(folder, config, "--catalog", str(catalog))
        state.write_text(last_state(first.written))
        time.sleep(MINUTE + 2)  # as tomorrow: nothing of the runs before counts any more
        app.stats.reset()
        wall = build.run(folder, config, "--catalog", str(catalog), "--state", str(state)).wall
        return wall, app.stats.requests, app.stats.refused, sorted(app.stats.arrivals)


def people(build: Build, count: int, folder: Path) -> float:
    """Return the CPU of a full read of so many people, without a limit."""
    app, config = account("copper", {"people": count, "companies": 10, "leads": 10, "activities": 10}, rate_limit=0)
    with running(app) as url:
        config |= {"api_url": url, "requests_per_minute": 0}
        catalog = folder / "catalog.json"
        found = json.loads(build.run(folder, config, "--discover").written)
        catalog.write_text(json.dumps(only(found, "people")))
        return build.run(folder, config, "--catalog", str(catalog)).cpu


def _said(number: float) -> str:
    """Return a number as people write it at an axis."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"  # noqa: PLR2004 - decimals say nothing there


def plot(lines: dict[str, list[tuple[float, float]]], left: int, title: str, axes: str) -> Iterator[str]:
    """Yield one plot of lines as parts of an SVG."""
    most_x = max((x for line in lines.values() for x, _ in line), default=1.0) or 1.0
    most_y = max((y for line in lines.values() for _, y in line), default=1.0) or 1.0
    yield f'<text x="{left}" y="18" font-weight="bold">{title}</text><text x="{left}" y="258">{axes}</text>'
    yield f'<path d="M{left} 30V220H{left + 340}" fill="none" stroke="#888"/>'
    yield f'<text x="{left + 345}" y="224">{_said(most_x)}</text><text x="{left + 4}" y="40">{_said(most_y)}</text>'
    for place, (name, line) in enumerate(lines.items()):
        points = " ".join(f"{left + 340 * x / most_x:.1f},{220 - 180 * y / most_y:.1f}" for x, y in line)
        colour = COLOURS[place % len(COLOURS)]
        yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        yield f'<text x="{left + 20 + 150 * place}" y="240" fill="{colour}">{name}</text>'


def sources(commit: str, folder: Path) -> Path:
    """Return a folder with the sources of a commit."""
    command = ["git", "archive", commit]
    packed = subprocess.run(command, capture_output=True, check=True, cwd=ROOT).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def main() -> None:
    """Measure, and print or write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", default="8c64b45", help="the commit to compare with")
    parser.add_argument("--people", type=int, nargs="+", default=[1_000, 4_000])
    parser.add_argument("--crms", nargs="+", default=list(UNCHANGED), choices=list(UNCHANGED))
    parser.add_argument("--write", action="store_true", help="write docs/speed.md and docs/speed.svg")
    options = parser.parse_args()
    cpu: dict[str, list[tuple[float, float]]] = {}
    sent: dict[str, list[tuple[float, float]]] = {}
    rows = []
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        os.environ["TMPDIR"] = two  # what other runs sent is not known there
        folder = Path(two)
        builds = [Build("this build", ROOT), Build(options.against, sources(options.against, Path(one)))]
        for crm in options.crms:
            for build in builds:
                wall, requests, refused, arrivals = unchanged(build, crm, folder)
                rows.append(
                    f"| unchanged, {crm}, {LATENCY_MS} ms | {build.name} | {wall:.2f} s | {requests} | {refused} |"
                )
                if crm == options.crms[0]:
                    sent[build.name] = [(at - arrivals[0], number + 1.0) for number, at in enumerate(arrivals)]
        for build in builds:
            cpu[build.name] = [(count, people(build, count, folder)) for count in options.people]
    seconds = max((line[-1][0] for line in sent.values()), default=1.0)
    limit = UNCHANGED[options.crms[0]][1]
    sent["limit, evenly"] = [(0.0, 0.0), (seconds, seconds * limit / MINUTE)]
    text = "\n".join(
        [
            "# Speed",
            "",
            f"Made by `./scripts/bench`, on the local servers; the other build is commit `{options.against}`.",
            "",
            "| run by default settings | build | wall | requests | 429s |",
            "| --- | --- | --- | --- | --- |",
            *rows,
            "",
            "| people read, no limit | build | CPU |",
            "| --- | --- | --- |",
            *(f"| {x:,} | {name} | {y:.2f} s |" for name, line in cpu.items() for x, y in line),
            "",
            "![CPU by records, and requests over a run](speed.svg)",
            "",
        ]
    )
    print(text)
    if options.write:
        (ROOT / "docs" / "speed.md").write_text(text)
        drawn = [
            *plot(cpu, 30, "CPU seconds by people read", "people"),
            *plot(sent, 470, f"Requests of an unchanged run ({options.crms[0]})", "seconds"),
        ]
        head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 880 265" font-family="sans-serif" font-size="12">'
        (ROOT / "docs" / "speed.svg").write_text("\n".join([head, *drawn, "</svg>", ""]))


if __name__ == "__main__":
    main()
