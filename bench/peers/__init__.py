"""One account of Copper, loaded into PostgreSQL as a user of another tool would do it.

Each module is run by the Python of an environment that has that tool, and not this project: ``bench/accounts.py`` makes
these environments. Both read the streams of ``streams.py``, incrementally, and keep nested values as JSON.
"""
