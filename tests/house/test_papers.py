"""The papers: every command, option and file that they name exists."""

import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.DOTALL | re.MULTILINE)
MAKE = re.compile(r"(?:^|[\s`&;])make ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)*)")
COMMAND = re.compile(
    r"(?:^|[\s`/])lighterman ((?:exchange serve|tape convert|sim [a-z]+|[a-z]+)?)((?:[ \t]+[^\s`#|]+)*)", re.MULTILINE
)
OPTION = re.compile(r"(?<!\S)(--[a-z-]+|-[a-z])\b")
MODULE = re.compile(r"`((?:[a-z_0-9]+/)+[a-z_0-9]+\.py)`")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def _papers(repository: Path) -> Iterator[tuple[str, str]]:
    for path in [*repository.glob("*.md"), *repository.glob("docs/**/*.md")]:
        yield path.relative_to(repository).as_posix(), path.read_text(encoding="utf-8")


def _code(text: str) -> Iterator[str]:
    for found in CODE.finditer(text):
        yield found[0].replace("\\\n", " ")


def test_every_recipe_exists(repository):
    """Each `make` target that a paper names is one."""
    targets = set(re.findall(r"^([a-z-]+)(?: [a-z -]+)?:", (repository / "Makefile").read_text(), re.MULTILINE))
    named = {
        (target, paper)
        for paper, text in _papers(repository)
        for code in _code(text)
        for targets_named in MAKE.findall(code)
        for target in targets_named.split()
    }

    assert named
    assert [] == sorted((target, paper) for target, paper in named if target not in targets)


def test_every_command_and_option_exists(repository):
    """Each `lighterman` command and option that a paper names is listed by its --help."""
    named: dict[str, set[str]] = defaultdict(set)
    for _, text in _papers(repository):
        for code in _code(text):
            for command, arguments in COMMAND.findall(code):
                named[command].update(OPTION.findall(arguments))
    assert named

    unknown = []
    for command, options in sorted(named.items()):
        arguments = [sys.executable, "-m", "lighterman", *command.split(), "--help"]
        result = subprocess.run(arguments, capture_output=True, text=True, check=False)
        offered = set(OPTION.findall(re.sub(r"[\[,]", " ", result.stdout)))
        if result.returncode != 0:
            unknown.append(command)
        unknown += [f"{command} {option}" for option in sorted(options - offered)]

    assert [] == unknown


def test_every_module_exists(repository):
    """Each `room/file.py` that a paper names is a file of the package or of the tree."""
    gone = [
        (paper, module)
        for paper, text in _papers(repository)
        for module in MODULE.findall(text)
        if not any((root / module).is_file() for root in (repository, repository / "src" / "lighterman"))
    ]

    assert [] == gone


def test_every_link_leads_somewhere(repository):
    """Each relative link of a paper leads to a file of the tree."""
    broken = [
        (paper, target)
        for paper, text in _papers(repository)
        for target in LINK.findall(text)
        if "://" not in target and not (repository / paper).parent.joinpath(target).exists()
    ]

    assert [] == broken


@pytest.mark.parametrize(
    "name", ["CHANGELOG.md", "CONTRIBUTING.md", "README.md", "SECURITY.md", "docs/architecture.md"]
)
def test_paper_exists(repository, name):
    """The papers a stranger looks for are there."""
    assert (repository / name).stat().st_size > 0
