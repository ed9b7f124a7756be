# Sourced by the scripts beside it: makes a virtual environment of this checkout, once, and uses it again later.

# Each command starts many processes: what they import is compiled once, also where that is switched off.
unset PYTHONDONTWRITEBYTECODE

# The first Python that this project runs on, and that can make virtual environments.
find_python() {
  for candidate in ${PYTHON:+"$PYTHON"} python3.13 python3.12 python3.11 python3 python; do
    if "$candidate" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
      >/dev/null 2>&1; then
      echo "$candidate"
      return
    fi
  done
  echo "Python 3.11, 3.12 or 3.13 is needed, with its module venv (Debian, Ubuntu: the package python3-venv)." >&2
  return 1
}

# make_environment NAME GROUP: .venvs/NAME with this project and a dependency group of pyproject.toml; sets $venv.
make_environment() {
  venv=$PWD/.venvs/$1
  # Made anew where the folder was moved or the project's dependencies changed.
  stamp="$venv $2 $(cksum <pyproject.toml)"
  if [ "$(cat "$venv/.made-from" 2>/dev/null)" = "$stamp" ] && "$venv/bin/python" -c '' 2>/dev/null; then
    return
  fi
  python=$(find_python) || return 1
  echo "Installing into .venvs/$1 ..."
  rm -rf "$venv"
  mkdir -p .venvs
  "$python" -m venv "$venv" || return 1
  if ! { install_with_uv "$2" >"$venv.log" 2>&1 || install_with_pip "$2" >>"$venv.log" 2>&1; }; then
    tail -n 40 "$venv.log" >&2
    echo "The installation failed; its output is in .venvs/$1.log" >&2
    return 1
  fi
  echo "$stamp" >"$venv/.made-from"
}

install_with_uv() {
  "$venv/bin/python" -m pip install --disable-pip-version-check uv &&
    "$venv/bin/uv" pip install --python "$venv/bin/python" --editable . --group "$1" &&
    echo uv >"$venv/.made-with"
}

# Slower; for machines whose proxy or package index only pip is set up for.
install_with_pip() {
  "$venv/bin/python" -m pip install --disable-pip-version-check --upgrade 'pip>=25.1' &&
    "$venv/bin/python" -m pip install --editable . --group "$1" &&
    echo pip >"$venv/.made-with"
}

# Let Meltano install its plugins by what worked here.
meltano_backend() {
  if [ "$(cat "$venv/.made-with")" = uv ]; then echo uv; else echo virtualenv; fi
}

# The environment of the tests comes first on the path, and what was set for another one has no part in it.
enter_environment() {
  unset PYTHONPATH PYTHONHOME VIRTUAL_ENV
  make_environment test dev
  PATH=$venv/bin:$PATH
  MELTANO_VENV_BACKEND=$(meltano_backend)
  export PATH MELTANO_VENV_BACKEND
}

# Lint, format, types, generated tables: all run, and the file $failed gets the names of those that failed.
lint() {
  check ruff check .
  check ruff format --check .
  check mypy
  check python -m scripts.readme_tables --check
}

check() {
  echo "--- $*"
  "$@" || echo "$1" >>"$failed"
}

# lint_and_test ARGUMENTS: lint, and pytest with its arguments; exits with what failed. They run beside each other, since
# the types take one core a minute. What lint says comes in one piece when it is over, its verdict at the end.
lint_and_test() {
  failed=$(mktemp)
  { told=$(lint 2>&1) && echo "$told"; } &
  status=0
  # More workers than cores, since tests wait half of their time, but not many: a container may have fewer than it sees.
  # A file's tests stay together: they share what is slow to make. Their order is that of `tests/distribution.py`.
  workers=$(python -c 'import os; print(min(2 * (os.cpu_count() or 1), 4))')
  python -m pytest -n "$workers" --dist loadfile --no-loadscope-reorder "$@" || status=$?
  wait
  if [ -s "$failed" ]; then
    echo "failed beside the tests: $(tr '\n' ' ' <"$failed")(see above: --- and the name)" >&2
    status=1
  fi
  rm -f "$failed"
  exit "$status"
}
