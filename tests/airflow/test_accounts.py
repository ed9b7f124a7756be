"""The list of accounts: from YAML and CSV alike, checked before anything is loaded, never empty."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrate.airflow.dags.crm_accounts import AccountsError, Load, failed, of_crm, read_accounts

SAMPLE = Path(__file__).parents[2] / "orchestrate" / "airflow" / "accounts.yaml"
AS_CSV = """account,crm,connection,schema,streams,parts,way,requests_per_minute
acme,copper,,,,,,
acme-emea,close,,,"leads,contacts,opportunities,*status*",,,
globex,copera,,,,,meltano,
initech,copper,,,,"people: people,companies; activities: activities; rest: !people,!companies,!activities",,60
"""


def listed(folder: Path, text: str, name: str = "accounts.yaml") -> str:
    """Write a list of accounts and return its path."""
    path = folder / name
    path.write_text(text)
    return str(path)


def test_the_sample_is_the_same_in_csv(tmp_path: Path) -> None:
    """Each account is a task; a huge one is a task for each part."""
    found = read_accounts(str(SAMPLE))
    assert found == read_accounts(listed(tmp_path, AS_CSV, "accounts.csv"))
    assert [load.name for load in found] == [
        *("acme", "acme-emea", "globex", "initech/people", "initech/activities", "initech/rest"),
    ]
    assert found[0] == Load("acme", "copper", "crm_acme", "acme")
    assert found[1].schema == "acme_emea"
    assert found[-1].params() == {
        "NAME": "initech/rest",
        "ACCOUNT": "initech",
        "CONNECTION": "crm_initech",
        "SCHEMA": "initech",
        "PART": "rest",
        "SELECT": "!people,!companies,!activities",
        "WAY": "pipe",
        "REQUESTS_PER_MINUTE": "60",
    }


def test_each_crm_has_its_own_and_may_have_none(tmp_path: Path) -> None:
    """An account that is paced by nothing says 0."""
    source = listed(tmp_path, "- {account: a, crm: close, requests_per_minute: 0}")
    assert of_crm(source, "copper") == []
    assert [one["REQUESTS_PER_MINUTE"] for one in of_crm(source, "close")] == ["0"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must be a list"),
        ("[]", "there is no account"),
        ("acme: copper", "must be a list"),
        ("- [", "no YAML"),
        ("- {account: a, crm: salesforce}", r"account 1 \(a\): `crm` must be one of copper, close, copera"),
        ("- {account: a b, crm: copper}", "account 1: `account` must be of letters"),
        ("- {crm: copper}", "account 1: `account`"),
        ("- {account: a, crm: copper, stream: [people]}", "account 1: there is no column stream"),
        ("- {account: a, crm: copper, way: airbyte}", "`way` must be one of"),
        ("- {account: a, crm: copper}\n- {account: a, crm: close}", "there twice: a"),
        ("- {account: a, crm: copper, streams: [x], parts: {y: [z]}}", "exclude each other"),
        ("- {account: a, crm: copper, parts: {y: []}}", "must give each part's name its streams"),
        ("- {account: a, crm: copper, parts: [y]}", "must give each part's name its streams"),
    ],
)
def test_a_list_that_cannot_be_used_says_where(tmp_path: Path, text: str, said: str) -> None:
    """A run that loads nothing would look well."""
    with pytest.raises(AccountsError, match=said):
        of_crm(listed(tmp_path, text), "copper")


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    """By its name."""
    with pytest.raises(AccountsError, match=r"none\.csv: No such file"):
        read_accounts(str(tmp_path / "none.csv"))


def test_the_report_names_what_did_not_succeed_also_what_was_never_run() -> None:
    """A state that nobody has told is none that is well."""
    expected = {"load_copper": ["a", "b/people"], "load_close": ["c"], "load_copera": []}
    assert failed(expected, {"load_copper_0": "success", "load_copper_1": "success", "load_close_0": "success"}) == (
        3,
        [],
    )
    states = {"load_copper_0": "failed", "load_copper_1": "success"}
    assert failed(expected, states) == (3, ["a (failed)", "c (not run)"])
