"""Traces one read of a stream: which files and functions it enters, and how often a page is decoded.

A CRM of the sandbox is read twice within this process, from the state of a first run. Only what is below `tap_crm/` is
counted.

    python -m bench.trace copper people
"""

from __future__ import annotations

import argparse
import importlib
import io
import json
import sys
import threading
from collections import Counter
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.server import running

if TYPE_CHECKING:
    from types import CodeType, FrameType

    from sandbox.simulator import Simulator

#: What makes an account of each CRM, and the credentials of its sandbox.
CRMS = {
    "copper": ("copper_app", {"api_key": "API_KEY", "user_email": "USER_EMAIL"}),
    "close": ("close_app", {"api_key": "API_KEY"}),
    "copera": ("copera_app", {"api_key": "PAT"}),
}
#: What decodes a body: these methods and functions of these modules.
DECODERS = {("msgspec", "decode")}


@dataclass
class Trace:
    """What a read entered.

    Attributes:
        calls: how often each function was entered.
        decoded: how often each place decoded something, by file and function.
    """

    calls: Counter[CodeType] = field(default_factory=Counter)
    decoded: Counter[str] = field(default_factory=Counter)

    def __call__(self, frame: FrameType, event: str, arg: Any) -> None:  # noqa: ANN401 - as the interpreter gives it
        """Take note of a call."""
        if "tap_crm" not in frame.f_code.co_filename:
            return
        if event == "call":
            self.calls[frame.f_code] += 1
        elif event == "c_call" and (_module(arg).partition(".")[0], arg.__name__) in DECODERS:
            self.decoded[f"{_below(frame.f_code.co_filename)}:{frame.f_code.co_name}"] += 1

    @property
    def files(self) -> set[str]:
        """The modules that were entered."""
        return {_below(code.co_filename) for code in self.calls}

    def times(self, file: str, function: str) -> int:
        """Return how often the functions of a name in a module were entered."""
        found = (code for code in self.calls if code.co_name == function and _below(code.co_filename) == file)
        return sum(self.calls[code] for code in found)


def _module(function: Any) -> str:  # noqa: ANN401 - any callable
    owner = getattr(function, "__self__", None)
    return getattr(function, "__module__", None) or type(owner).__module__ or ""


def _below(path: str) -> str:
    return path.rpartition("tap_crm/")[2]


class Account:
    """A CRM of the sandbox that is read within this process.

    Args:
        crm: which one.
        stream: that is read, with `sync_audit`.
        url: of its server.
    """

    def __init__(self, crm: str, stream: str, url: str) -> None:
        own = importlib.import_module(f"sandbox.{crm}")
        names = CRMS[crm][1]
        self._config = {
            "provider": crm,
            "api_url": url,
            "requests_per_minute": 0,
            **{name: getattr(own, held) for name, held in names.items()},
        }
        self._catalog = self._tap().catalog_dict
        for entry in self._catalog["streams"]:
            whole = next(part for part in entry["metadata"] if not part["breadcrumb"])
            whole["metadata"]["selected"] = entry["tap_stream_id"] in {stream, "sync_audit"}

    def _tap(self, **given: Any) -> Any:  # noqa: ANN401 - the tap, whichever version of it
        tap = importlib.import_module("tap_crm.singer.tap").TapCRM
        return tap(config=self._config, **given)

    def sync(self, state: dict[str, Any] | None = None, trace: Trace | None = None) -> dict[str, Any]:
        """Read the stream, traced if so wished; return the last state."""
        written = io.StringIO()
        with redirect_stdout(written):
            tap = self._tap(catalog=self._catalog, state=state)
            threading.setprofile(trace)
            sys.setprofile(trace)
            try:
                tap.sync_all()
            finally:
                sys.setprofile(None)
                threading.setprofile(None)
        lines = [json.loads(line) for line in written.getvalue().split("\n") if line]
        last: dict[str, Any] = [line["value"] for line in lines if line["type"] == "STATE"][-1]
        return last


def app_of(crm: str, shape: dict[str, Any]) -> Simulator:
    """Return an account."""
    own = importlib.import_module(f"sandbox.{crm}")
    made: Simulator = getattr(own, CRMS[crm][0])(own.Shape(**shape), rate_limit=0)
    return made


def incremental(crm: str, stream: str, shape: dict[str, Any], edits: int = 20) -> Trace:
    """Return the trace of a run that reads one page of changes."""
    app = app_of(crm, shape)
    with running(app) as url:
        account = Account(crm, stream, url)
        state = account.sync()
        app.account.change("edit", {"object": stream, "count": edits})
        trace = Trace()
        account.sync(state, trace)
    return trace


def whole(crm: str, stream: str, shape: dict[str, Any]) -> Trace:
    """Return the trace of a first run."""
    with running(app_of(crm, shape)) as url:
        trace = Trace()
        Account(crm, stream, url).sync(trace=trace)
    return trace


def main() -> None:
    """Print what one page of changes costs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("crm", choices=sorted(CRMS))
    parser.add_argument("stream")
    asked = parser.parse_args()
    trace = incremental(asked.crm, asked.stream, {asked.stream: 300})
    print(f"files {len(trace.files)}, functions {len(trace.calls)}")
    for place, times in sorted(trace.decoded.items()):
        print(f"  decoded {times} times in {place}")


if __name__ == "__main__":
    main()
