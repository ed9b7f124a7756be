"""``python -m target_crm`` is ``target-crm``."""

from __future__ import annotations

from target_crm.singer.target import main

if __name__ == "__main__":
    main()
