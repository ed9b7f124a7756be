"""A target that gets two signals while its transport exchanges a token; the argument is a file to make then."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from target_crm.singer.target import TargetCRM


class Settling:
    """A transport that takes long to settle."""

    def settle(self) -> None:
        """Wait, and make the file."""
        time.sleep(0.1)
        Path(sys.argv[1]).touch()


def main() -> None:
    """Take both signals."""
    target = TargetCRM(config={"provider": "copper", "api_key": "k", "user_email": "u@example.com"})
    target.__dict__.update(engine=object(), transport=Settling())
    for _ in range(2):
        os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(30)


if __name__ == "__main__":
    main()
