"""The floors: imports point down, pure rooms stay pure, and a wrong import is seen."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

WRONG_IMPORTS = {  # planted line -> what the contract that must break is called
    "strategy/params.py": ("from lighterman.engine import params", "Floors"),
    "risk/limits.py": ("import asyncio", "Pure rooms"),
    "simulator/__init__.py": ("from lighterman.strategy import params", "The local exchange"),
}


def _lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    command = str(Path(sys.executable).with_name("lint-imports"))
    environment = os.environ | {"PYTHONPATH": str(root / "src")}
    arguments = [command, "--no-logo", "--no-cache", "--config", str(root / "pyproject.toml")]
    return subprocess.run(arguments, cwd=root, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def broken_tree(tmp_path_factory, repository):
    """Lint a copy of the package with one wrong import planted for each contract."""
    root = tmp_path_factory.mktemp("broken")
    shutil.copytree(repository / "src", root / "src")
    shutil.copy(repository / "pyproject.toml", root)
    for module, (line, _) in WRONG_IMPORTS.items():
        with (root / "src" / "lighterman" / module).open("a") as file:
            file.write(f"\n{line}\n")
    return _lint_imports(root)


def test_every_import_points_down(repository):
    """The package keeps every contract."""
    result = _lint_imports(repository)

    assert 0 == result.returncode, result.stdout
    assert "0 broken" in result.stdout


@pytest.mark.parametrize(("module", "contract"), [(module, name) for module, (_, name) in WRONG_IMPORTS.items()])
def test_a_wrong_import_is_seen(broken_tree, module, contract):
    """An upward, impure or forbidden import breaks the contract that forbids it."""
    assert 1 == broken_tree.returncode
    assert any(line.startswith(contract) and line.endswith("BROKEN") for line in broken_tree.stdout.splitlines()), (
        module
    )
