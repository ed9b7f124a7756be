"""The export of a view: inline for text formats, else a job that nobody can follow."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import msgspec

from sandbox.copera.moments import is_object_id, object_id, text_of
from sandbox.copera.parameters import CheckedRequest, invalid
from sandbox.copera.visibility import sees, table_for
from sandbox.exchange import Answer, encoded

if TYPE_CHECKING:
    from sandbox.copera.service import Service
    from sandbox.exchange import Record

_MIME = {
    "CSV": "text/csv",
    "JSON": "application/json",
    "MARKDOWN": "text/markdown",
    "HTML": "text/html",
    "XLSX": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ICS": "text/calendar",
}
_QUEUED = ("PDF", "ZIP")
_KNOWN = {
    *("boardId", "viewId", "format", "columnIds", "rowIds", "csvOptions", "pdfOptions", "zipOptions", "icsOptions"),
    *("includeHidden", "includeSystemColumns", "forceAsync", "saveToDrive", "fileNameTemplate", "webhookUrl"),
}


def export(service: Service, asked: CheckedRequest) -> Answer:
    """Export a table by a view; every well-formed view id is one that shows all."""
    table = table_for(service, asked)
    try:
        order = msgspec.json.decode(asked.request.body, type=dict)
    except msgspec.DecodeError:
        raise invalid("body") from None
    if order.get("boardId") != table.board:
        raise invalid("boardId")
    if not is_object_id(str(order.get("viewId", ""))):
        raise invalid("viewId")
    form = order.get("format", "CSV")
    if form not in (*_MIME, *_QUEUED):
        raise invalid("format")
    if unknown := sorted(set(order) - _KNOWN):
        raise invalid(unknown[0])
    if form in _QUEUED or order.get("forceAsync"):
        empty = dict.fromkeys(("fileName", "mimeType", "fileSizeBytes", "rowCount", "downloadUrl"))
        job = {"jobId": object_id(service.account.now(), service.rng), "status": "queued", "format": form}
        return encoded({"asyncJob": job | {"expiresAt": text_of(service.account.now() + 86_400_000)} | empty}, 202)
    wanted = order.get("rowIds")
    rows = [one for one in table.rows.values() if (wanted is None or one.id in wanted)]
    records = [service.account.record(one) for one in rows if sees(service, asked.token, table, one)]
    return encoded(_inline(table.name, form, _columns(table.shown(), order.get("columnIds")), records))


def _columns(table: Record, wanted: list[str] | None) -> list[Record]:
    found = [one for one in table["columns"] if wanted is None or one["columnId"] in wanted]
    return [{"_id": one["columnId"], "label": one["label"], "type": one["type"]} for one in found]


def _inline(name: str, form: str, columns: list[Record], records: list[Record]) -> Record:
    rows: list[Record] = []
    kept = [one["_id"] for one in columns]
    for record in records:
        cells = {one["columnId"]: one.get("value") for one in record["columns"]}
        rows.append({"_id": record["_id"], "rowId": record["rowId"], "columns": {one: cells.get(one) for one in kept}})
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow([one["label"] for one in columns])
    writer.writerows([list(one["columns"].values()) for one in rows])
    payload = msgspec.json.encode(rows).decode() if form == "JSON" else written.getvalue()
    return {
        "fileName": f"{name}.{form.lower()}",
        "mimeType": _MIME[form],
        "payload": payload,
        "rowCount": len(rows),
        "columns": columns,
        "rows": rows,
    }
