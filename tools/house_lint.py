"""What ruff and import-linter cannot see: time, chance, order and money in the syntax tree.

    python tools/house_lint.py src/lighterman        one line per finding, exit 1 if there is any

| rule | refuses | where |
|---|---|---|
| clock | `loop.time()` and the like | everywhere but clock.py |
| chance | building a generator: `Random(...)` | everywhere but chance.py |
| order | a result that depends on the order of a set | pure rooms, and all that a simulation hosts |
| identity | `id()`, `hash()`, `__del__`: they differ from run to run | the same |
| machine | threads, executors, child processes, the environment, `asyncio.wait` and `all_tasks` (sets) | the same |
| approval | building an `Approved` | everywhere but risk/gate.py |
| money | `/` or `round` on `*_ticks`, `*_lots`, `*_micro`, `*_pico` | everywhere but domain/units.py and estimates |

A line may be excused by ending it with `# house-ok: reason`; an excuse that excuses nothing is a
finding too. Rules on sets follow names within one file: what is annotated as a set, or assigned
from one, is a set in that function (an attribute: in that file).
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

PURE = ("domain/", "protocol/", "strategy/", "risk/", "matching/", "engine/")
REPEATABLE = (*PURE, "simulator/", "simulation/", "exchange/", "journal/", "runtime/", "signing/fake.py")
REPEATABLE_EXCEPT = (  # they are the machine, and no simulation hosts them
    "journal/lock.py",
    "runtime/children.py",
    "runtime/wiring.py",
    "simulation/campaign.py",
    "simulation/determinism.py",
    "simulation/failure.py",
    "simulation/forks.py",
    "simulation/watch.py",
)
ESTIMATES = ("strategy/", "matching/flow")  # floats live here; they leave through price_floor and price_ceil

INTEGER_NAME = re.compile(r"_(ticks|lots|micro|pico)$")
SET_ANNOTATION = re.compile(r"^(\w+\.)*(set|frozenset|Set|AbstractSet|MutableSet)\b")
SET_MAKERS = frozenset({"set", "frozenset"})
SET_METHODS = frozenset({"copy", "difference", "intersection", "symmetric_difference", "union"})
SET_OPERATORS = (ast.BitAnd, ast.BitOr, ast.BitXor, ast.Sub)
ORDER_FREE = frozenset({"all", "any", "frozenset", "len", "max", "min", "set", "sorted", "sum"})
ORDER_KEEPING = frozenset({"dict", "enumerate", "filter", "iter", "list", "map", "tuple", "zip", "deque"})
ORDER_KEEPING_METHODS = frozenset({"extend", "fromkeys", "join"})
TRANSPARENT_CALLS = frozenset({"abs", "max", "min", "sum"})
MACHINE_MODULES = frozenset({"threading", "concurrent", "multiprocessing", "subprocess"})
MACHINE_CALLS = frozenset(
    {
        ("asyncio", "all_tasks"),
        ("asyncio", "as_completed"),
        ("asyncio", "to_thread"),
        ("asyncio", "wait"),
        ("os", "environ"),
        ("os", "fork"),
        ("os", "getenv"),
        ("os", "urandom"),
    }
)
EXCUSE = re.compile(r"#\s*house-ok:(.*)$")


class Finding(NamedTuple):
    """One place that breaks a rule."""

    line: int
    rule: str
    message: str


def check(path: str, source: str) -> list[Finding]:
    """Return what is wrong with a module; `path` is its path inside the package, as `risk/gate.py`."""
    tree = ast.parse(source)
    findings = [*_clock(path, tree), *_chance(path, tree), *_approval(path, tree), *_money(path, tree)]
    if path.startswith(REPEATABLE) and path not in REPEATABLE_EXCEPT:
        findings += [*_identity(tree), *_machine(tree), *_Order().check(tree)]
    return _apply_excuses(sorted(set(findings)), source)


def _called(node: ast.AST) -> str:
    """Return the last name of what is called (`b` of `a.b(...)`), or an empty text."""
    return _last_name(node.func) if isinstance(node, ast.Call) else ""


def _last_name(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _clock(path: str, tree: ast.AST) -> Iterator[Finding]:
    if path == "clock.py":
        return
    for node in ast.walk(tree):
        mentions = isinstance(node, ast.Attribute) and node.attr == "time" and _last_name(node.value).endswith("loop")
        calls = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "time"
        if mentions or calls:
            yield Finding(_line(node), "clock", "a loop's time is a clock: take time from the event or from Clock")


def _chance(path: str, tree: ast.AST) -> Iterator[Finding]:
    if path == "chance.py":
        return
    for node in ast.walk(tree):
        if _called(node) in {"Random", "SystemRandom", "default_rng"}:
            yield Finding(_line(node), "chance", "a generator is made by chance.seeded alone: take an Rng")


def _approval(path: str, tree: ast.AST) -> Iterator[Finding]:
    if path == "risk/gate.py":
        return
    for node in ast.walk(tree):
        if _called(node) == "Approved":
            yield Finding(_line(node), "approval", "only risk/gate.py approves a command")


def _identity(tree: ast.AST) -> Iterator[Finding]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"id", "hash"}:
            yield Finding(node.lineno, "identity", f"{node.func.id}() differs from run to run")
        elif isinstance(node, ast.FunctionDef) and node.name == "__del__":
            yield Finding(node.lineno, "identity", "__del__ runs when the collector pleases")


def _machine(tree: ast.AST) -> Iterator[Finding]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                modules = [name.name.partition(".")[0] for name in names]
            case ast.ImportFrom(module=str(module), level=0):
                modules = [module.partition(".")[0]]
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if (owner, name) in MACHINE_CALLS:
                yield Finding(node.lineno, "machine", f"{owner}.{name} does not repeat in a simulation")
                continue
            case ast.Attribute(attr="run_in_executor"):
                yield Finding(node.lineno, "machine", "an executor is a thread, which no simulation has")
                continue
            case _:
                continue
        for module in sorted(MACHINE_MODULES.intersection(modules)):
            yield Finding(_line(node), "machine", f"{module} is of the machine, which no simulation has")


def _money(path: str, tree: ast.AST) -> Iterator[Finding]:
    if path == "domain/units.py" or path.startswith(ESTIMATES):
        return
    for node in ast.walk(tree):
        match node:
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                operands = [left, right]
            case ast.AugAssign(target=target, op=ast.Div(), value=value):
                operands = [target, value]
            case ast.Call(func=ast.Name(id="round"), args=args):
                operands = args
            case _:
                continue
        name = next((name for operand in operands for name in _integer_names(operand)), "")
        if name:
            yield Finding(_line(node), "money", f"{name} is a whole number: use domain/units.py to divide or round it")


def _integer_names(node: ast.AST) -> Iterator[str]:
    """Yield the integer-named values that flow into an expression unconverted."""
    match node:
        case ast.Name() | ast.Attribute():
            if INTEGER_NAME.search(_last_name(node)):
                yield _last_name(node)
        case ast.BinOp(left=left, right=right):
            yield from _integer_names(left)
            yield from _integer_names(right)
        case ast.UnaryOp(operand=value) | ast.Subscript(value=value):
            yield from _integer_names(value)
        case ast.Call(func=function, args=args):
            yield from _integer_names(function)
            if _last_name(function) in TRANSPARENT_CALLS:
                for argument in args:
                    yield from _integer_names(argument)


class _Order(ast.NodeVisitor):
    """Finds results that depend on the order of a set. State: the names known to be sets."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.attributes: set[str] = set()
        self.scopes: list[set[str]] = [set()]
        self.order_free: set[ast.AST] = set()

    def check(self, tree: ast.AST) -> list[Finding]:
        """Return the findings of a module: names first, then uses."""
        for node in ast.walk(tree):
            self._learn(node, attributes_only=True)
        self._learn_scope(tree)
        self.visit(tree)
        return self.findings

    # -- which names are sets

    def _learn_scope(self, scope: ast.AST) -> None:
        inner = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
        waiting = list(ast.iter_child_nodes(scope))
        while waiting:
            node = waiting.pop()
            self._learn(node, attributes_only=False)
            if not isinstance(node, inner):
                waiting.extend(ast.iter_child_nodes(node))

    def _learn(self, node: ast.AST, *, attributes_only: bool) -> None:
        match node:
            case ast.ClassDef(body=body) if attributes_only:
                fields = [field for field in body if isinstance(field, ast.AnnAssign)]
                self.attributes |= {_last_name(field.target) for field in fields if _says_set(field.annotation)}
            case ast.AnnAssign(target=target, annotation=annotation) if _says_set(annotation):
                self._learn_target(target, attributes_only=attributes_only)
            case ast.Assign(targets=targets, value=value) if self._is_set(value):
                for each in targets:
                    self._learn_target(each, attributes_only=attributes_only)
            case ast.arg(arg=name, annotation=ast.expr() as annotation) if not attributes_only:
                if _says_set(annotation):
                    self.scopes[-1].add(name)

    def _learn_target(self, target: ast.expr, *, attributes_only: bool) -> None:
        if isinstance(target, ast.Attribute):
            self.attributes.add(target.attr)
        elif isinstance(target, ast.Name) and not attributes_only:
            self.scopes[-1].add(target.id)

    def _is_set(self, node: ast.AST) -> bool:
        match node:
            case ast.Set() | ast.SetComp():
                return True
            case ast.Name(id=name):
                return any(name in scope for scope in self.scopes)
            case ast.Attribute(attr=name):
                return name in self.attributes
            case ast.BinOp(left=left, op=operator, right=right) if isinstance(operator, SET_OPERATORS):
                return any(self._is_set(side) or _called(side) in {"keys", "items"} for side in (left, right))
            case ast.Call(func=ast.Name(id=name)):
                return name in SET_MAKERS
            case ast.Call(func=ast.Attribute(value=value, attr=method)):
                return method in SET_METHODS and self._is_set(value)
            case ast.IfExp(body=body, orelse=orelse):
                return self._is_set(body) or self._is_set(orelse)
            case _:
                return False

    # -- where their order would show

    def _report(self, node: ast.expr) -> None:
        if self._is_set(node):
            self.findings.append(
                Finding(node.lineno, "order", "a set has no order that repeats: sort it or use a dict")
            )

    def _visit_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        self.scopes.append(set())
        self._learn_scope(node)
        self.generic_visit(node)
        self.scopes.pop()

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = _visit_function  # noqa: N815  (ast's own names)

    def visit_For(self, node: ast.For) -> None:
        self._report(node.iter)
        self.generic_visit(node)

    def visit_Starred(self, node: ast.Starred) -> None:
        self._report(node.value)
        self.generic_visit(node)

    def _visit_ordered_comprehension(self, node: ast.ListComp | ast.DictComp | ast.GeneratorExp) -> None:
        if node not in self.order_free:
            for generator in node.generators:
                self._report(generator.iter)
        self.generic_visit(node)

    visit_ListComp = visit_DictComp = visit_GeneratorExp = _visit_ordered_comprehension  # noqa: N815  (as above)

    def visit_Call(self, node: ast.Call) -> None:
        name = _called(node)
        is_method = isinstance(node.func, ast.Attribute)
        breaks_ties = name in {"min", "max"} and any(keyword.arg == "key" for keyword in node.keywords)
        if name in ORDER_FREE and not breaks_ties:
            self.order_free.update(node.args)
        elif breaks_ties or name in (ORDER_KEEPING_METHODS if is_method else ORDER_KEEPING):
            for argument in node.args:
                self._report(argument)
        elif isinstance(node.func, ast.Attribute) and name == "pop" and not node.args:
            self._report(node.func.value)
        self.generic_visit(node)


def _says_set(annotation: ast.expr) -> bool:
    return bool(SET_ANNOTATION.match(ast.unparse(annotation).strip("'\"")))


def _line(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 0))


def _apply_excuses(findings: Sequence[Finding], source: str) -> list[Finding]:
    """Drop what a reasoned excuse covers; add excuses without a reason or without a use."""
    excuses = dict(_excuses(source))
    broken = {finding.line for finding in findings}
    kept = [finding for finding in findings if not excuses.get(finding.line)]
    for line, reason in excuses.items():
        if not reason:
            kept.append(Finding(line, "excuse", "house-ok needs a reason"))
        elif line not in broken:
            kept.append(Finding(line, "excuse", "nothing here needs an excuse"))
    return sorted(kept)


def _excuses(source: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        found = EXCUSE.search(token.string) if token.type == tokenize.COMMENT else None
        if found:
            yield token.start[0], found[1].strip()


def main(arguments: Sequence[str]) -> int:
    """Check package folders, print the findings, return the exit code (2: nothing was checked)."""
    modules = [(root, module) for root in map(Path, arguments) for module in sorted(root.rglob("*.py"))]
    if not modules:
        print("house lint: no module found, nothing was checked", file=sys.stderr)
        return 2
    count = 0
    for root, module in modules:
        for finding in check(module.relative_to(root).as_posix(), module.read_text(encoding="utf-8")):
            print(f"{module}:{finding.line}: {finding.rule}: {finding.message}")
            count += 1
    print(f"house lint: {len(modules)} modules, {count or 'no'} finding{'s' * (count != 1)}")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
