"""What a start imports: thousands of accounts a night pay for it, each of them again."""

from __future__ import annotations

import sys

import pytest

from tap_crm.contract.stream import AUDIT
from tap_crm.load import catalog
from tests.started import run

#: Slow to import, and of use to few runs.
SLOW = (
    "asyncio",
    "duckdb",
    "filelock",
    "fsspec",
    "joblib",
    "jsonpath_ng",
    "jsonschema",
    "psycopg",
    "referencing",
    "rich",
    "sqlalchemy",
    "tap_crm.providers.close.streams",
    "upath",
)


@pytest.mark.parametrize(
    ("module", "others"),
    [("tap_crm.singer.tap", ()), ("tap_crm.load.command", ("singer_sdk", "requests", "tap_crm.providers"))],
)
def test_a_start_imports_nothing_that_few_runs_need(module: str, others: tuple[str, ...]) -> None:
    """Nor what the SDK imports for targets, batch files, REST streams and checks by a JSON schema."""
    asked = f"import sys, {module}; print(*[name for name in {(*SLOW, *others)!r} if name in sys.modules])"
    done = run([sys.executable, "-c", asked])
    assert (done.returncode, done.stdout.split()) == (0, [])


def test_the_name_of_the_audit_is_the_same_in_both_places() -> None:
    """One of them is written twice, so that it need not be imported."""
    assert catalog.AUDIT == AUDIT
