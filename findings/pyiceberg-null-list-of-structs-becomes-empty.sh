#!/usr/bin/env bash
# pyiceberg 0.12.0 with pyarrow 26.0.1, a catalog in SQLite, tables on the disk, 2026-11-29
#
# One would guess: null, an empty list and a list with one element are three values, and arrive as three.
# What happens: where the elements are structs, null is written as an empty list; where they are texts, null stays null.
#   The Parquet file itself holds the empty list, so that no reader can tell the two apart.
# Output seen: structs [[], [], [{'a': 'x'}]], texts [None, [], ['x']], null structs in the file: 0
# Why it matters: "the source does not say" becomes "there are none": addresses, options or line items that were not read
#   count as removed, in the same table in which a list of tags is right.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check 'pyiceberg[sql-sqlite,pyarrow]==0.12.0' pyarrow==26.0.1

cat > write.py <<'PY'
import pathlib
import sys

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog

here = pathlib.Path.cwd()
catalog = SqlCatalog("local", uri=f"sqlite:///{here}/catalog.sqlite", warehouse=f"file://{here}/tables")
catalog.create_namespace("crm")
schema = pa.schema([("structs", pa.list_(pa.struct([("a", pa.string())]))), ("texts", pa.list_(pa.string()))])
rows = [{"structs": None, "texts": None}, {"structs": [], "texts": []}, {"structs": [{"a": "x"}], "texts": ["x"]}]
table = catalog.create_table(("crm", "people"), schema=schema)
table.append(pa.Table.from_pylist(rows, schema=schema))
read = table.scan().to_arrow().to_pydict()
(file,) = here.glob("tables/**/*.parquet")
nulls = pq.read_table(file)["structs"].null_count
print(f"structs {read['structs']}, texts {read['texts']}, null structs in the file: {nulls}")
if read["structs"][0] != [] or read["texts"][0] is not None or nulls:
    print("changed: null is kept now, or lost for texts, too")
    sys.exit(1)
PY
venv/bin/python write.py
