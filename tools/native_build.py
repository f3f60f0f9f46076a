"""Compiles native/ into the extension `_native`, and tells hatchling to ship it; the trading path too, if asked to.

    python tools/native_build.py TARGET [--sanitize]       compile and try it; exit 1 where that fails

As a build hook it never fails an installation: where nothing can be compiled the package is
installed without the extension and does the same work in plain Python. LIGHTERMAN_NATIVE=require
makes it fail instead, LIGHTERMAN_NATIVE=off compiles nothing. CC and CFLAGS are honoured.
LIGHTERMAN_COMPILED=require makes a wheel of the compiled path (`make build-fast`), which is of this Python alone.
"""

import argparse
import os
import platform
import shlex
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import sys_tags

SOURCES = Path(__file__).parents[1] / "native"
PLACE = "lighterman/protocol/crypto/_native.abi3.so"  # `abi3`: one build for CPython 3.11 and every later one
INTERFACE = "cp311-abi3"
LIMITED_API = "-DPy_LIMITED_API=0x030B0000"
WARNINGS = ("-Wall", "-Wextra", "-Wshadow", "-Werror=vla", "-Wno-cast-function-type")
OPTIMISED = ("-O3", "-g0", "-DNDEBUG", "-fstack-protector-strong")
SANITIZED = ("-O1", "-g", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
COMPILE_S_MAX = 900
FAST_BUILD = Path(__file__).with_name("fast_build.py")
TRY_S_MAX = 30

# Protocol reference 5.3 and 5.10: the hash of 0..15, and the signature of a public key's first vector.
_TRIAL = """
import importlib.util, struct, sys
spec = importlib.util.spec_from_file_location("_native", sys.argv[1])
native = importlib.util.module_from_spec(spec)
spec.loader.exec_module(native)
secret = bytes(range(1, 41))
message = struct.unpack("<5Q", bytes.fromhex(
    "df7d9b0f6a9bb83c58ac7310bae4fe39dc111f757d142b47ca0fa59477f30774c42738006e4bf07e"))
signature = bytes.fromhex(
    "90328d183452e8d0bc241c5272affd4ab24a005b5a67f658c67918183ad88a17ba680f0c82339d07"
    "d3fd5272783a2d92e9b5641b999124c80b2f3283a4ff8dc3e558554f1070872737e5531e543a6941")
key = native.SigningKey(secret)
assert native.hash_integers(range(16), 5) == [
    193952750190893094, 10617623327897635074, 18300835573819240156, 2043841189207866765, 1803982194166573557]
assert key.sign([message], lambda count: (123456789).to_bytes(count, "little")) == [signature]
assert native.VerifyingKey(key.public_key).verify(message, signature)
assert not native.VerifyingKey(key.public_key).verify(message, bytes(80))
"""


class NativeBuildError(Exception):
    """The extension cannot be had here; says why in one line."""


def compiler() -> list[str]:
    """Return the command of the C compiler: CC of the environment, else the one Python was built with."""
    named = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    return shlex.split(str(named)) + shlex.split(os.environ.get("CFLAGS", ""))


def compile_extension(target: Path, flags: tuple[str, ...] = OPTIMISED) -> None:
    """Compile into `target`, which is replaced at once or not at all; raise NativeBuildError."""
    shared = ("-bundle", "-undefined", "dynamic_lookup") if platform.system() == "Darwin" else ("-shared",)
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    command = [
        *compiler(),
        *("-std=c11", "-fPIC", "-fvisibility=hidden", LIMITED_API, *WARNINGS, *flags, *shared),
        f"-I{sysconfig.get_paths()['include']}",
        *(str(SOURCES / "module.c"), "-o", str(fresh)),
    ]
    try:
        _run(command, COMPILE_S_MAX)
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)


def try_extension(target: Path) -> None:
    """Load the extension in a process of its own and hold it to known answers; raise NativeBuildError."""
    _run([sys.executable, "-I", "-c", _TRIAL, str(target)], TRY_S_MAX)


def _run(command: list[str], seconds: int) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds)  # noqa: S603  (ours)
    except subprocess.CalledProcessError as error:
        words = (error.stderr or error.stdout or "").strip().splitlines()
        raise NativeBuildError(f"{command[0]} failed: {words[-1] if words else error.returncode}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NativeBuildError(f"{command[0]}: {error}") from error


def _refuse_unfit_python() -> None:
    if platform.python_implementation() != "CPython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        raise NativeBuildError("this Python has no stable interface for extensions")


class NativeBuild(BuildHookInterface[Any]):
    """Compiles the extension into the wheel, or beside its sources for an editable installation."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add what is wanted and can be had; the wheel is then this platform's."""
        if self.target_name != "wheel":
            return
        self._scratch = tempfile.TemporaryDirectory()
        if os.environ.get("LIGHTERMAN_NATIVE") != "off":
            self._add_extension(version, build_data)
        if os.environ.get("LIGHTERMAN_COMPILED") == "require" and version != "editable":
            self._add_compiled(build_data)

    def _add_extension(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile native/; or leave the wheel a pure one and say why."""
        in_place = Path(self.root, "src", PLACE)
        built = Path(self._scratch.name) / in_place.name
        try:
            _refuse_unfit_python()
            compile_extension(built)
            try_extension(built)
        except NativeBuildError as error:
            if version == "editable":
                in_place.unlink(missing_ok=True)  # one of older sources would be used
            if os.environ.get("LIGHTERMAN_NATIVE") == "require":
                raise
            self.app.display_warning(f"lighterman is built without its native extension: {error}")
            return
        build_data["pure_python"] = False
        build_data["tag"] = f"{INTERFACE}-{_platform_tag()}"
        if version == "editable":
            compile_extension(in_place)
        else:
            build_data["force_include"][str(built)] = PLACE

    def _add_compiled(self, build_data: dict[str, Any]) -> None:
        """Compile the way from an update to approved orders; what was compiled lies beside its source in the wheel."""
        folder = Path(self._scratch.name) / "compiled"
        _run([sys.executable, str(FAST_BUILD), str(folder)], COMPILE_S_MAX)
        for kind in ("*.so", "lighterman/*/*.so", "lighterman/*/*_records.py"):
            build_data["force_include"] |= {str(made): str(made.relative_to(folder)) for made in folder.glob(kind)}
        interpreter = f"cp{sys.version_info.major}{sys.version_info.minor}"
        build_data["pure_python"] = False
        build_data["tag"] = f"{interpreter}-{interpreter}-{_platform_tag()}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was compiled for the wheel."""
        del version, build_data, artifact_path
        if hasattr(self, "_scratch"):
            self._scratch.cleanup()


def _platform_tag() -> str:
    """Return the plain tag of this machine: nobody has audited the wheel for manylinux."""
    return next(
        tag.platform for tag in sys_tags() if "manylinux" not in tag.platform and "musllinux" not in tag.platform
    )


def main() -> int:
    """Compile for tools and tests; return the exit code."""
    parser = argparse.ArgumentParser(description="compile native/ into an extension")
    parser.add_argument("target", type=Path, help="the file to make")
    parser.add_argument("--sanitize", action="store_true", help="for runs under AddressSanitizer and UBSan; not tried")
    options = parser.parse_args()
    try:
        compile_extension(options.target, SANITIZED if options.sanitize else OPTIMISED)
        if not options.sanitize:
            try_extension(options.target)
    except NativeBuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
