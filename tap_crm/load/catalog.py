"""Which streams of an account are read: the tap's catalog, with rules as Meltano writes them."""

from __future__ import annotations

import signal
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import msgspec

from tap_crm.errors import ConfigError
from tap_crm.load.outcome import Outcome
from tap_crm.load.processes import lines_of, send, start, wait_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_crm.load.job import Job

#: The stream that is always selected; `tap_crm.contract.stream.AUDIT`, without what that module imports.
AUDIT = "sync_audit"


def rules_of(texts: Sequence[str]) -> tuple[str, ...]:
    """Return rules in one form: `people`, `!tags`, `deals__*`.

    Raises:
        ConfigError: one names fields, which only Meltano can select.
    """
    found: list[str] = []
    for text in (part.strip() for one in texts for part in one.split(",")):
        rule = text.removesuffix(".*")
        if "." in rule:
            raise ConfigError(f"`--select`: {text} names a field; only whole streams can be selected here")
        if rule:
            found.append(rule)
    return tuple(found)


def for_meltano(rules: Sequence[str]) -> str:
    """Return rules as the variable `…__SELECT` of an extractor; the audit is always selected."""
    return msgspec.json.encode([*(f"{rule}.*" for rule in rules), f"{AUDIT}.*"]).decode()


def selected_catalog(tap: Sequence[str], job: Job) -> bytes | Outcome:
    """Run the tap's discovery and return its catalog with the job's streams selected; what it ended with if it failed.

    Raises:
        ConfigError: the rules select nothing.
    """
    process = start([*tap, "--discover"], job.tap_environment)
    assert process.stdout is not None  # noqa: S101 - for the type checker

    def tick() -> None:
        if (number := job.limits.due()) is not None:
            send(number, process)

    try:
        text = b"\n".join(lines_of(process.stdout, tick))
        code = wait_for(process, tick)
    finally:
        send(signal.SIGKILL, process)
        process.stdout.close()
    if code:
        return Outcome(code)
    return selecting(text, job.select)


def selecting(text: bytes, rules: Sequence[str]) -> bytes:
    """Return a catalog with the streams selected that rules say, and the audit.

    Raises:
        ConfigError: they select nothing.
    """
    catalog: dict[str, Any] = msgspec.json.decode(text)
    chosen = 0
    for entry in catalog["streams"]:
        name = entry["tap_stream_id"]
        selected = _is_selected(name, rules)
        chosen += selected
        for item in entry["metadata"]:
            if not item["breadcrumb"]:
                item["metadata"]["selected"] = selected or name == AUDIT
    if not chosen:
        raise ConfigError(f"`--select` selects no stream of this account: {', '.join(rules)}")
    return msgspec.json.encode(catalog)


def _is_selected(name: str, rules: Sequence[str]) -> bool:
    if any(fnmatchcase(name, rule[1:]) for rule in rules if rule.startswith("!")):
        return False
    wanted = [rule for rule in rules if not rule.startswith("!")]
    return name != AUDIT and any(fnmatchcase(name, rule) for rule in wanted or ("*",))
