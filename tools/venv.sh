#!/bin/sh
# Make the virtual environment $1 with the first of these Pythons that runs, is new enough and can
# make one. Each is tried by running it: a name on the PATH may be a shim with nothing behind it.
# PYTHON=/path/to/python chooses another.
set -eu
for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
    if "$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        echo "making $1 with $("$candidate" --version) ($candidate)"
        exec "$candidate" -m venv --clear "$1"
    fi
done
echo "no usable Python: lighterman needs Python 3.11 or newer with its venv module (tried: ${PYTHON:-python3.13 python3.12 python3.11 python3})" >&2
exit 1
