"""A target for tests: appends what it reads to a file, and prints a STATE as soon as all before it is on the disk.

python loader.py FILE
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

if __name__ == "__main__":
    with Path(sys.argv[1]).open("ab") as file:
        for line in sys.stdin.buffer:
            file.write(line)
            if line.startswith(b'{"type":"STATE"'):
                file.flush()
                os.fsync(file.fileno())
                print(json.dumps(json.loads(line)["value"]), flush=True)  # noqa: T201 - as a target does
