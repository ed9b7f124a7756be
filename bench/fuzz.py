"""Thousands of broken inputs, for `./scripts/soak --of fuzz`."""

from __future__ import annotations

import logging
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from tests.contract.crms import CRMS
from tests.proof import fuzzing
from tests.proof.accounts import Account

if TYPE_CHECKING:
    from argparse import Namespace


def soak(names: list[str], options: Namespace) -> tuple[str, int]:
    """Try cases from a number on, as `--seed` gives it, for as long as wished; return a table and how many failed."""
    logging.disable(logging.INFO)
    tried: Counter[tuple[str, str]] = Counter()
    passed: Counter[tuple[str, str]] = Counter()
    ends, number = time.monotonic() + options.minutes * 60, options.seed
    with tempfile.TemporaryDirectory() as folder:
        accounts = {}
        for name in names:
            Path(folder, name).mkdir()
            accounts[name] = Account(CRMS[name], Path(folder, name))
        while time.monotonic() < ends:
            for name, account in accounts.items():
                for what in fuzzing.CASES:
                    found = fuzzing.fuzzed(what, account.sample, number, Path(folder, name))
                    tried[what, name] += 1
                    passed[what, name] += not found
                    if found:
                        print(f"./scripts/soak --of fuzz --crm {name} --seed {number} --minutes 0.01  # {what}")
                        print(f"    {found[0][:1000]}", flush=True)
            number += 1
    lines = ["| input | CRM | tried | passed |", "| --- | --- | --- | --- |"]
    lines += [f"| {what} | {name} | {tried[what, name]} | {passed[what, name]} |" for what, name in sorted(tried)]
    return "\n".join(lines), tried.total() - passed.total()
