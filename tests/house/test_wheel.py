"""What is shipped."""

import os
import subprocess
import sys
import zipfile

import pytest

from helpers.native import HAS_COMPILER

EXTENSION = "lighterman/protocol/crypto/_native.abi3.so"
PLAIN = (".py", ".pyi", ".json", "py.typed")


def build(repository, folder, *, expected=0, **environment):
    """Build a wheel and return its path, or nothing where none was made."""
    arguments = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    result = subprocess.run(
        arguments, cwd=repository, check=False, capture_output=True, text=True, env=os.environ | environment
    )
    assert expected == result.returncode, result.stderr
    return next(folder.glob("*.whl"), None), result.stderr


def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_wheel_holds_the_package_and_its_licence(repository, tmp_path):
    """The wheel carries the package, its extension, its licence and nothing else of the tree."""
    wheel, _ = build(repository, tmp_path)
    held = names(wheel)

    assert {"lighterman", "lighterman-0.1.0.dist-info"} == {name.split("/")[0] for name in held}
    assert "lighterman-0.1.0.dist-info/licenses/LICENSE" in held
    assert "lighterman/py.typed" in held
    assert [] == [
        name for name in held if name.startswith("lighterman/") and not name.endswith(PLAIN) and name != EXTENSION
    ]
    assert HAS_COMPILER == (EXTENSION in held)
    assert ("-cp311-abi3-" if HAS_COMPILER else "-py3-none-any") in wheel.name


@pytest.mark.parametrize(
    ("environment", "says"),
    [({"CC": "false"}, "without its native extension"), ({"LIGHTERMAN_NATIVE": "off"}, "")],
    ids=["no compiler", "unwanted"],
)
def test_wheel_without_a_compiler(repository, tmp_path, environment, says):
    """Where nothing can be compiled, or nothing shall be, the wheel is one of plain Python; the first is said."""
    wheel, said = build(repository, tmp_path, **environment)

    assert wheel.name.endswith("-py3-none-any.whl")
    assert EXTENSION not in names(wheel)
    assert says in said


def test_a_required_extension_fails_the_build(repository, tmp_path):
    """With LIGHTERMAN_NATIVE=require a wheel without the extension is not made."""
    wheel, said = build(repository, tmp_path, expected=1, CC="false", LIGHTERMAN_NATIVE="require")

    assert wheel is None
    assert "false failed" in said


def test_what_does_not_load_is_not_shipped(repository, tmp_path):
    """What was compiled must load and give known answers before it is put into a wheel."""
    compiler = tmp_path / "cc"
    compiler.write_text('#!/bin/sh\nfor last in "$@"; do :; done\necho rubbish > "$last"\n')
    compiler.chmod(0o755)
    wheel, said = build(repository, tmp_path, CC=str(compiler))

    assert wheel.name.endswith("-py3-none-any.whl")
    assert "ImportError" in said
