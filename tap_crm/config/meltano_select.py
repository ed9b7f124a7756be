"""What a Meltano project selects: streams that it leaves out, and names in it that fit nothing."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import msgspec

from tap_crm.config.nearest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

#: Where Meltano tells an extractor its lists ``select`` and ``select_filter``, as JSON (docs.meltano.com: plugin
#: extras).
SELECT, FILTER = "MELTANO_EXTRACT__SELECT", "MELTANO_EXTRACT__SELECT_FILTER"
_EXCLUDES = "!"
_WHOLE = ("", "*")


def select_rules(environment: Mapping[str, str] = os.environ, name: str = SELECT) -> list[str]:
    """Return the rules that Meltano follows, such as ``people.*``; none without Meltano."""
    try:
        found = msgspec.json.decode(environment.get(name) or "[]")
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return []
    return [rule for rule in found if isinstance(rule, str)] if isinstance(found, list) else []


def is_deselected(stream: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether the Meltano project that runs the tap leaves a stream out; False where none does, or says nothing.

    A stream that discovery does not offer is in no catalog that could say so.
    """
    return not all(_takes_in(select_rules(environment, name), stream) for name in (SELECT, FILTER))


def rules_that_fit_nothing(
    rules: Iterable[str], known: Iterable[str], offered: Mapping[str, Collection[str]]
) -> list[str]:
    """Return a remark on each rule that selects a stream or a field that is not there.

    Args:
        rules: as Meltano has them; those that leave something out are not looked at.
        known: names of streams that may not be offered for another reason, such as a lost right.
        offered: the streams of the catalog, each with its fields, those within others as ``address.city``.
    """
    streams = sorted({*known, *offered})
    remarks = []
    for rule in rules:
        stream, _, field = rule.partition(".")
        if rule.startswith(_EXCLUDES):
            continue
        fitting = [name for name in streams if fnmatchcase(name, stream)]
        if not fitting:
            remarks.append(f"`select`: there is no stream `{stream}`{did_you_mean(stream, streams)}")
            continue
        there = [name for name in fitting if name in offered]
        fields = sorted({path for name in there for path in offered[name]})
        if field and there and not any(fnmatchcase(path, field) for path in fields):
            remarks.append(f"`select`: the stream `{stream}` has no field `{field}`{did_you_mean(field, fields)}")
    return remarks


def _takes_in(rules: list[str], stream: str) -> bool:
    """Tell whether a list has the stream: it is in one of its rules, if there are any, and no rule leaves it out."""
    taken = [rule.partition(".")[0] for rule in rules if not rule.startswith(_EXCLUDES)]
    left = [rule.removeprefix(_EXCLUDES).partition(".") for rule in rules if rule.startswith(_EXCLUDES)]
    if any(fnmatchcase(stream, name) and field in _WHOLE for name, _, field in left):
        return False
    return not taken or any(fnmatchcase(stream, name) for name in taken)
