"""What the tap writes in three runs of the accounts of Close and Copera, as the sandbox has them: full of odd data."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

from bench.loaders.account import Loads, reader
from sandbox.client import Client
from sandbox.server import running
from scripts.demo_crm import Change
from scripts.demo_run import CRMS
from tests.meltano.conftest import APPS
from tests.meltano.piped import settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

OTHERS = ("close", "copera")


def _number_of_leads(client: Client) -> dict[str, str]:
    fields = client.control("truth/custom_fields")
    return {"id": next(one["id"] for one in fields if (one["object_type"], one["type"]) == ("lead", "number"))}


def _number_column(client: Client) -> dict[str, str]:
    column = next(one for one in client.control("truth/columns") if one["type"] == "NUMBER")
    return {"table": column["table"], "column": column["columnId"]}


#: Beside what the demo changes: a field that all have is added, and a number becomes a text.
_OF_FIELDS = {
    "close": (
        Change("a field", "add_field", {"object_type": "lead", "name": "Colour", "type": "text", "fill": True}),
        Change("another type", "retype_field", lambda client: {**_number_of_leads(client), "type": "text"}),
    ),
    "copera": (Change("another type", "retype_column", lambda client: {**_number_column(client), "type": "TEXT"}),),
}


def load_other(folder: Path, name: str, form: Mapping[str, Any]) -> Loads:
    """Return three runs: the first, one after changes of records and fields, and one that finds what was deleted.

    Args:
        folder: for config and states.
        name: of the CRM.
        form: settings of the tap, beside the account's.
    """
    crm, loads = CRMS[name], Loads()
    with running(APPS[name]()) as url, closing(Client(url)) as client:
        given = {**settings(crm.extractor, crm.settings), "api_url": url, **form}
        read = reader(folder, json.loads(json.dumps(given)))
        state = loads.take(read({}, None))
        for change in (*crm.changes, *_OF_FIELDS[name]):
            change.make(client)
        state = loads.take(read({}, state))
        for change in crm.deletions:
            change.make(client)
        loads.take(read({"reconcile": "true"}, state))
    return loads
