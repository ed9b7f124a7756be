"""Loads every account each night: one mapped operator for each CRM, a task for each account, and a report that raises.

Set-up and settings: `docs/airflow.md`. Each task sees its own account's key, and no other; Airflow masks it in logs and
in the rendered fields.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, RetryPolicy, get_current_context, task
from airflow.sdk.definitions.retry_policy import RetryDecision
from airflow.sdk.exceptions import AirflowFailException

sys.path.insert(0, str(Path(__file__).parent))  # where a bundle does not do so itself
from crm_accounts import CRMS, failed, of_crm

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

#: Where things are on a worker; `docs/airflow.md` tells of each.
ACCOUNTS = os.environ.get("CRM_ACCOUNTS", str(Path(__file__).parents[1] / "accounts.yaml"))
PROGRAMS = os.environ.get("CRM_PROGRAMS", "/opt/tap-crm/bin")
PROJECT = os.environ.get("CRM_MELTANO_PROJECT", "/opt/tap-crm/project")
WAREHOUSE = os.environ.get("CRM_WAREHOUSE_CONNECTION", "crm_warehouse")
MINUTES = float(os.environ.get("CRM_MINUTES", "55"))
KILL_AFTER = float(os.environ.get("CRM_KILL_AFTER_SECONDS", "300"))
RETRY_DELAY = float(os.environ.get("CRM_RETRY_SECONDS", "300"))
SCHEDULE = os.environ.get("CRM_SCHEDULE", "0 2 * * *") or None
#: Variables of this process that each task has, too, such as those of Meltano's state backend.
PASSED_ON = [name for name in os.environ.get("CRM_PASS_ON", "").split(",") if name]
REFUSED = "exit code 77."
#: A busy API server may lose any task, also one that does nearly nothing: without a list, no account is loaded.
TRIED_AGAIN: dict[str, Any] = {"retries": 2, "retry_delay": timedelta(seconds=min(RETRY_DELAY, 30))}

#: `exec`, so that a signal to the task's process is one to `load-account`; nothing is on its standard input, where
#: Airflow's own socket would be.
COMMAND = """
cd {{ project if params.WAY == 'meltano' else '/' }} && exec load-account \
{% if params.WAY == 'meltano' -%}
"$ACCOUNT" -- meltano run "tap-$TAP_CRM_PROVIDER" target-postgres \
{%- else -%}
"$ACCOUNT" -- tap-crm --config ENV '|' target-postgres --config ENV \
{%- endif %} </dev/null
"""


class NotTwiceWithARefusedKey(RetryPolicy):
    """Fails a task at once whose credentials the CRM refused: a second attempt would be refused, too."""

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,  # noqa: ARG002
        max_tries: int,  # noqa: ARG002
        context: Context | None = None,  # noqa: ARG002
    ) -> RetryDecision:
        """Decide by the exit code, which the exception's text ends with."""
        if str(exception).endswith(REFUSED):
            return RetryDecision.fail("the CRM refused the credentials")
        return RetryDecision.default()

    def serialize(self) -> dict[str, Any]:
        """Return nothing: it has no parts."""
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> NotTwiceWithARefusedKey:  # noqa: ARG003
        """Make it anew."""
        return cls()


def connection(part: str) -> str:
    """Return the template of a part of the account's connection."""
    return "{{ conn.get(params.CONNECTION)." + part + " or '' }}"


def extra(name: str) -> str:
    """Return the template of a setting in the connection's extra."""
    return "{{ conn.get(params.CONNECTION).extra_dejson.get('" + name + "', '') }}"


def variables(crm: str) -> dict[str, str]:
    """Return the variables of a task, all that it has: it inherits none of the worker's."""
    warehouse = "{{ conn.get('" + WAREHOUSE + "').password }}"
    return {
        **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
        "PATH": f"{PROGRAMS}:/usr/local/bin:/usr/bin:/bin",
        "HOME": os.environ.get("HOME", "/"),
        "SHLVL": "1",  # bash takes the socket for a remote shell otherwise, and reads ~/.bashrc
        "ACCOUNT": "{{ params.ACCOUNT }}",
        "TAP_CRM_PROVIDER": crm,
        "TAP_CRM_API_KEY": connection("password"),
        "TAP_CRM_USER_EMAIL": connection("login"),
        "TAP_CRM_API_URL": extra("api_url"),
        "TAP_CRM_RETRY_SECONDS": extra("retry_seconds"),
        "TAP_CRM_REQUESTS_PER_MINUTE": "{{ params.REQUESTS_PER_MINUTE }}",
        "TAP_CRM_MAX_RUN_MINUTES": str(MINUTES * 0.8),  # so that nothing need be stopped
        "TARGET_POSTGRES_SQLALCHEMY_URL": warehouse,
        "TARGET_POSTGRES_USE_COPY": "true",
        "TARGET_POSTGRES_VALIDATE_RECORDS": "false",
        "LOAD_ACCOUNT_STATE": warehouse,
        "LOAD_ACCOUNT_PART": "{{ params.PART }}",
        "LOAD_ACCOUNT_SCHEMA": "{{ params.SCHEMA }}",
        "LOAD_ACCOUNT_SELECT": "{{ params.SELECT }}",
        "LOAD_ACCOUNT_TIMEOUT_MINUTES": str(MINUTES),
        "LOAD_ACCOUNT_KILL_AFTER": str(KILL_AFTER),
    }


@task(**TRIED_AGAIN)
def accounts(crm: str) -> list[dict[str, str]]:
    """Read the accounts of a CRM; raises if there is none of any."""
    return of_crm(ACCOUNTS, crm)


@task(trigger_rule="all_done", **TRIED_AGAIN)
def report() -> str:
    """Raise if an account was not loaded, and name those: a last task that is green makes the whole run green.

    That would be the same at a second attempt; only what keeps it from asking is tried again.
    """
    context = get_current_context()
    run, instance = context["run_id"], context["ti"]
    expected = {f"load_{crm}": instance.xcom_pull(task_ids=f"accounts_{crm}") for crm in CRMS}
    if None in expected.values():
        raise RuntimeError("the list of accounts could not be read; see the log of the tasks `accounts_…`")
    names = {name: [one["NAME"] for one in found] for name, found in expected.items()}
    states = instance.get_task_states(dag_id=context["dag"].dag_id, task_ids=[*names], run_ids=[run]).get(run, {})
    count, wrong = failed(names, states)
    if wrong:
        raise AirflowFailException(f"{len(wrong)} of {count} loads failed: {', '.join(wrong)}")
    return f"all {count} loads succeeded"


with DAG(
    "load_crm_accounts",
    schedule=SCHEDULE,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    user_defined_macros={"project": PROJECT},
    tags=["crm"],
    doc_md=__doc__,
):
    last = report()
    for crm in CRMS:
        found = accounts.override(task_id=f"accounts_{crm}")(crm)
        loads = BashOperator.partial(
            task_id=f"load_{crm}",
            pool=f"crm_{crm}",  # only here: that of a mapped entry is ignored
            retries=2,
            retry_delay=timedelta(seconds=RETRY_DELAY),
            retry_policy=NotTwiceWithARefusedKey(),
            # `load-account` ends in time by itself; this is for a worker on which it cannot.
            execution_timeout=timedelta(minutes=MINUTES, seconds=KILL_AFTER + 120),
            env=variables(crm),
            map_index_template="{{ params.NAME }}",
            bash_command=COMMAND,
        ).expand(params=found)
        loads >> last
