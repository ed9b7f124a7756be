"""Lets ``python -m tap_crm.load`` be the command ``load-account``."""

from __future__ import annotations

from tap_crm.load.command import main

if __name__ == "__main__":
    main()
