"""What every CRM promises, said once: each test runs for every CRM of `tests.contract.crms`.

A CRM joins by one declaration: a subclass of `tests.contract.crm.Crm`, and a line in `tests.contract.crms`. What only
one CRM has stays in its own folder of tests.
"""
