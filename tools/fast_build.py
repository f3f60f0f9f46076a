"""Compiles the way from a book update to approved orders with mypyc, from the very files that run uncompiled.

    python tools/fast_build.py FOLDER [MODULE ...]      leave the package in FOLDER, compiled and tried

Law: the sources are not written for the compiler, and what it would change is not given to it. It drops the keywords
of a class without a word (`frozen`, `gc`, `array_like`), so records stay Python: in the copy that is compiled each
one moves to a file beside its module, every other line staying where it is. And it divides whole numbers above 2^53
otherwise than Python, so `strategy/fair.py`, where sizes are multiplied and divided, is not in the list.
"""

import argparse
import ast
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from mypyc.build import mypycify
from setuptools import setup

PACKAGE = "lighterman"
SOURCES = Path(__file__).parents[1] / "src" / PACKAGE
RECORDS = "_records"  # `plan.py` is compiled, `plan_records.py` beside it holds its records
COMPILED = (
    "domain/book",
    "domain/position",
    "domain/units",
    "engine/engine",
    "engine/exposure",
    "engine/freshness",
    "engine/intake",
    "engine/ledger",
    "engine/order",
    "engine/orders",
    "engine/pace",
    "engine/plan",
    "engine/readiness",
    "engine/reconcile",
    "engine/state",
    "protocol/stream",
    "protocol/translate",
    "risk/budget",
    "risk/gate",
    "risk/pnl",
    "strategy/ladder",
    "strategy/quoter",
    "strategy/skew",
    "strategy/spread",
    "strategy/volatility",
)
_TRIAL = """
import importlib, sys
for name in sys.argv[2:]:
    place = importlib.import_module(name).__file__
    if not place.endswith(sys.argv[1]):
        sys.exit(f"{name} was not compiled: {place}")
"""


def build(folder: Path, modules: Sequence[str] = COMPILED) -> None:
    """Copy the package into `folder`, compile these modules there, and load each."""
    shutil.copytree(SOURCES, folder / PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
    paths = [f"{PACKAGE}/{module}.py" for module in modules]
    for path in paths:
        part(folder / path, f"{PACKAGE}.{Path(path).parent.name}")
    os.chdir(folder)  # the compiler names modules by their path from here
    extensions = mypycify(["--strict", *paths], opt_level="3", debug_level="0", group_name=PACKAGE)
    setup(name=PACKAGE, packages=[], ext_modules=extensions, script_args=["--quiet", "build_ext", "--inplace"])
    names = [path.removesuffix(".py").replace("/", ".") for path in paths]
    suffix = str(sysconfig.get_config_var("EXT_SUFFIX"))
    subprocess.run([sys.executable, "-c", _TRIAL, suffix, *names], check=True)  # noqa: S603  (ours)


def part(path: Path, package: str) -> None:
    """Move the records of a module to a file beside it, and import them where they stood."""
    source = path.read_text(encoding="utf-8")
    body, lines = ast.parse(source).body, source.splitlines(keepends=True)
    records = [node for node in body if isinstance(node, ast.ClassDef) and is_record(node)]
    if not records:
        return
    imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    home = path.with_name(f"{path.stem}{RECORDS}.py")
    moved = ["".join(lines[node.lineno - 1 : node.end_lineno]) for node in (*imports, *records)]
    home.write_text("\n".join(moved), encoding="utf-8")
    for node in records:
        height = len(lines[node.lineno - 1 : node.end_lineno])
        line = f"from {package}.{home.stem} import {node.name} as {node.name}\n"
        lines[node.lineno - 1 : node.end_lineno] = [line] + ["\n"] * (height - 1)
    path.write_text("".join(lines), encoding="utf-8")


def is_record(node: ast.ClassDef) -> bool:
    """Tell whether a class is one that the compiler would make another of."""
    return bool(node.keywords) or any(ast.unparse(base) == "msgspec.Struct" for base in node.bases)


def main() -> int:
    """Compile; return the exit code."""
    parser = argparse.ArgumentParser(description="compile the way from a book update to approved orders")
    parser.add_argument("folder", type=Path, help="where to leave the package; must not hold one")
    parser.add_argument("modules", nargs="*", default=COMPILED, help="as risk/budget; default: all of the list")
    options = parser.parse_args()
    build(options.folder.resolve(), options.modules)
    return 0


if __name__ == "__main__":
    sys.exit(main())
