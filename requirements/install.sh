#!/bin/sh
# Make .venv and install what the locks name, every file checked against its hash.
# Usage: requirements/install.sh [python]
set -eu
cd "$(dirname "$0")/.."
python=${1:-python3}

fail() {
  echo "coravet: $*" >&2
  exit 1
}

command -v "$python" >/dev/null 2>&1 || fail "$python is not on PATH; install Python 3.11 or newer, or name one: make PYTHON=python3.12"
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2]); sys.exit(sys.version_info < (3, 11))' 2>/dev/null) ||
  fail "$python is Python ${version:-unknown}, and CoraVet needs 3.11 or newer; name another: make PYTHON=python3.12"

# An environment of another Python, or of one that is gone, cannot be mended.
if [ -e .venv ] && ! .venv/bin/python -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$version')" 2>/dev/null; then
  rm -rf .venv
fi
if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
  "$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$python lacks venv or ensurepip; on Debian and Ubuntu: apt-get install python3-venv"
  echo "Making .venv with Python $version"
  "$python" -m venv --clear .venv || fail "could not make .venv; remove it and run make again"
fi
pip=".venv/bin/python -m pip --disable-pip-version-check"
hashed="install --quiet --require-hashes --no-deps"

lock=requirements/dev.txt
unreachable="could not install $lock, for the reason above; check the network and run make again"
echo "Installing $(grep -c '^[a-z].*==' "$lock") packages from $lock"
# uv installs in seconds what takes pip most of a minute, but knows nothing of pip's own configuration: who has told pip
# about a mirror or a proxy gets pip, and so does who cannot be served by uv.
if $pip config list | grep -E '\.(index-url|no-index|proxy)=' >/dev/null; then
  $pip $hashed -r "$lock" || fail "pip $unreachable"
else
  sed -n '/^uv==/,/^ *# via/p' "$lock" >.venv/uv.txt
  $pip $hashed -r .venv/uv.txt || fail "pip $unreachable"
  .venv/bin/uv --system-certs --quiet pip sync --python .venv/bin/python --require-hashes "$lock" ||
    $pip $hashed -r "$lock" || fail "uv and pip $unreachable"
fi
$pip install --quiet --no-deps --no-build-isolation --editable . || fail "pip could not install CoraVet itself into .venv"
