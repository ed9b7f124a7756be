"""``python -m tap_crm``: the same as the command ``tap-crm``."""

from __future__ import annotations

from tap_crm.singer.tap import main

main()
