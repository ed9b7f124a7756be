"""Which account fills the tables of a schema, in a Meltano project: no other account is loaded into them.

An extractor that inherits from another one has its ``load_schema``, too, unless it has one of its own. Two accounts in
the same tables overwrite each other's rows where ids are the same, and mark each other's as deleted.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tap_crm.config.kept_file import read_kept, write_kept
from tap_crm.config.meltano_project import environment_name, load_schema, system_folder
from tap_crm.errors import OtherAccount

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = "tap-crm-schemas.json"


def claim_schema(account: str | None, title: str, environment: Mapping[str, str] = os.environ) -> None:
    """Note that an account fills the schema that Meltano names; nothing happens without Meltano.

    Args:
        account: the mark of the account; None where the CRM does not tell it.
        title: the CRM's name.
        environment: the variables that Meltano sets.

    Raises:
        OtherAccount: another account fills it, in this project and this environment of Meltano's.
    """
    folder, schema = system_folder(environment), load_schema(environment)
    if account is None or folder is None or schema is None:
        return
    file, name = folder / FILE, f"{environment_name(environment)}:{schema}"
    kept = read_kept(file)
    if kept.get(name) not in (None, account):
        raise OtherAccount(
            f"the schema `{schema}` holds another account than the one that these credentials open in {title}: nothing "
            "was written. Give this extractor a `load_schema` of its own, or set `account_column` for both; if the "
            f"tables are to be taken over, or are in another database, remove `{name}` from {file}"
        )
    if name not in kept:
        write_kept(file, {**kept, name: account})
