"""What a user selects in Meltano, held against what there is: a name that fits nothing is said."""

from __future__ import annotations

import json
import os
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from tap_crm.config.nearest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from singer_sdk.singerlib import Catalog

#: Where Meltano tells a plugin of its `select` rules, as JSON.
RULES = "MELTANO_EXTRACT__SELECT"
_EXCLUDES = "!"


def select_rules(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return the rules that Meltano follows, such as ``people.*``; none without Meltano."""
    try:
        found = json.loads(environment.get(RULES, "[]"))
    except ValueError:
        return []
    return [rule for rule in found if isinstance(rule, str)] if isinstance(found, list) else []


def rules_that_fit_nothing(rules: Iterable[str], known: Iterable[str], catalog: Catalog) -> list[str]:
    """Return a remark on each rule that selects a stream or a field that is not there.

    Args:
        rules: as Meltano has them; those that leave something out are not looked at.
        known: names of streams that may be missing in the catalog for another reason, such as a lost right.
        catalog: what is offered.
    """
    streams = sorted({*known, *catalog})
    remarks = []
    for rule in rules:
        stream, _, field = rule.partition(".")
        if rule.startswith(_EXCLUDES):
            continue
        fitting = [name for name in streams if fnmatchcase(name, stream)]
        if not fitting:
            remarks.append(f"`select`: there is no stream `{stream}`{did_you_mean(stream, streams)}")
            continue
        there = [name for name in fitting if name in catalog]
        fields = sorted({path for name in there for path in _fields(catalog, name)})
        if field and there and not any(fnmatchcase(path, field) for path in fields):
            remarks.append(f"`select`: the stream `{stream}` has no field `{field}`{did_you_mean(field, fields)}")
    return remarks


def _fields(catalog: Catalog, stream: str) -> Iterable[str]:
    """Yield the fields of a stream, those within others as ``address.city``."""
    for breadcrumb in catalog[stream].metadata:
        if breadcrumb:
            yield ".".join(part for part in breadcrumb if part not in ("properties", "items"))
