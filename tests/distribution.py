"""Which worker of pytest-xdist gets which tests, and in which order: both cores are busy until the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from collections.abc import Callable

Item = TypeVar("Item")

#: Tests that mostly wait, and measure how well: at the start they run beside each other, and nothing disturbs them.
WAITING = "/test_rate_limit.py"
#: What takes longest begins first; the files of the last folders are short, so that no worker waits long for another.
FIRST = ("tests/meltano/", "tests/contract/", "tests/close/", "tests/copper/", "tests/copera/")
LAST = ("tests/sandbox/", "tests/docs/", "tests/reading/", "tests/unit/")
#: Folders whose files share what is slow to make: loaders that Meltano installs, a PostgreSQL server, loaded accounts.
TOGETHER = ("tests/meltano/", "tests/proof/")


def place(nodeid: str) -> int:
    """Return how early a test is begun; smaller is earlier."""
    if WAITING in nodeid:
        return 0
    for number, folder in enumerate(FIRST, start=1):
        if nodeid.startswith(folder):
            return number
    for number, folder in enumerate(LAST, start=len(FIRST) + 2):
        if nodeid.startswith(folder):
            return number
    return len(FIRST) + 1


def ordered(items: list[Item], nodeid: Callable[[Item], str]) -> list[Item]:
    """Return tests in the order in which they are begun; those of a file keep theirs."""
    return sorted(items, key=lambda item: place(nodeid(item)))


class Distribution(LoadFileScheduling):  # type: ignore[misc]  # it has no types
    """The tests of a file stay together, and those of some folders."""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in TOGETHER if nodeid.startswith(folder)), super()._split_scope(nodeid))
