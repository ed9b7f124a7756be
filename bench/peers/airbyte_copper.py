"""Loads an account of Copper by Airbyte's CDK: a declarative source, run and loaded into PostgreSQL by PyAirbyte.

    HOST=… DATABASE_NAME=… python airbyte_copper.py SCHEMA

Airbyte's own destinations are images for containers; PyAirbyte is its loader without them. The source runs in this
process, which is cheaper than a process of its own. The state is in the database.
"""

from __future__ import annotations

import os
import sys

import airbyte
from airbyte.caches import PostgresCache
from airbyte_manifest import MANIFEST
from streams import KEY, USER

source = airbyte.get_source(
    "source-copper",
    source_manifest=MANIFEST,
    config={"key": os.environ[KEY], "user": os.environ[USER]},
)
source.select_all_streams()
cache = PostgresCache(
    host=os.environ["HOST"],
    port=int(os.environ.get("PORT", "5432")),
    username=os.environ.get("DATABASE_USER", "postgres"),
    password=os.environ.get("DATABASE_PASSWORD", "none"),
    database=os.environ["DATABASE_NAME"],
    schema_name=sys.argv[1],
)
source.read(cache=cache, write_strategy="auto")
