"""One account of Copper, read or loaded as a user of another tool would do it.

Each module is run by the Python of an environment that has that tool, and not this project. ``bench.accounts`` takes
those that load into PostgreSQL (``airbyte_copper``, ``dlt_copper``): both read the streams of ``streams``,
incrementally, and keep nested values as JSON. ``bench.speed`` takes those that read people and write lines.
"""
