"""Reads people of Copper by Airbyte's CDK: its declarative source writes messages, and nothing loads them."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from airbyte_cdk.entrypoint import launch
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource
from airbyte_manifest import MANIFEST
from streams import KEY, USER

SYNC = {"sync_mode": "incremental", "destination_sync_mode": "append", "cursor_field": ["date_modified"]}

with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    config: dict[str, Any] = {"key": os.environ[KEY], "user": os.environ[USER]}
    (people,) = (one for one in MANIFEST["streams"] if one["name"] == "people")
    listed = {
        "name": "people",
        "json_schema": people["schema_loader"]["schema"],
        "supported_sync_modes": ["full_refresh", "incremental"],
        "source_defined_cursor": True,
        "source_defined_primary_key": [["id"]],
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "catalog.json").write_text(json.dumps({"streams": [{"stream": listed, **SYNC}]}))
    source = ConcurrentDeclarativeSource(catalog=None, config=config, state=None, source_config=MANIFEST)
    launch(source, ["read", "--config", str(folder / "config.json"), "--catalog", str(folder / "catalog.json")])
