"""Whether the compiled extension is here, and a skip that says why not."""

import importlib.util
import shutil
import sysconfig
from pathlib import Path

import pytest

from lighterman.protocol.crypto.fastest import IS_NATIVE

_COMPILER = str(sysconfig.get_config_var("CC") or "cc").split()[0]
_PYTHON_H = Path(sysconfig.get_paths()["include"], "Python.h")
HAS_COMPILER = shutil.which(_COMPILER) is not None and _PYTHON_H.is_file()

needs_native = pytest.mark.skipif(
    not IS_NATIVE, reason="native extension absent: make install" if HAS_COMPILER else "no C compiler"
)


def load_script(path):
    """Return a script that is no part of the package as a module."""
    spec = importlib.util.spec_from_file_location(f"script_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
