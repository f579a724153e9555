"""Which test reaches which reason of the catalogue, for those that no row of the error table can reach.

Put `@reaches(Reason.X, EVERY_RPC | A_RECORD | AN_ALIGNMENT | "Service/Rpc", "what is wrong")` on the test that sees
the reason come from its real cause. The marks are read from the source: docs/errors.md is made of them, and a test
holds that every reason of the catalogue has one or a row of tests/integration/errors.
"""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ingest_grpc.errors import CATALOGUE, Reason

EVERY_RPC, A_RECORD, AN_ALIGNMENT = "every RPC", "a record", "an alignment"
NAMES = {"EVERY_RPC": EVERY_RPC, "A_RECORD": A_RECORD, "AN_ALIGNMENT": AN_ALIGNMENT}

TESTS = Path(__file__).resolve().parent
_T = TypeVar("_T")


def reaches(reason: Reason, by: str, when: str) -> Callable[[_T], _T]:
    """Says of a test that in it `by` ends with `reason` because of `when`."""
    return lambda test: test


@dataclass(frozen=True)
class Reached:
    """One mark: where it stands, what it says, and whether the test names the reason, or its text, beside its mark."""

    test: str
    reason: Reason
    by: str
    when: str
    named: bool


def reached() -> list[Reached]:
    """All marks of all tests, in the order of files and lines."""
    paths = sorted(TESTS.rglob("test_*.py"))
    return [mark for path in paths if "reaches(" in (source := path.read_text()) for mark in _marks(path, source)]


def _marks(path: Path, source: str) -> Iterator[Reached]:
    module = ast.parse(source)
    constants = dict(_constants(module))
    for test in module.body:
        if isinstance(test, ast.FunctionDef | ast.AsyncFunctionDef):
            marks = [each for each in test.decorator_list if _is_mark(each)]
            words = _words([*test.body, *(each for each in test.decorator_list if each not in marks)], constants)
            for mark in marks:
                assert isinstance(mark, ast.Call)
                reason, by, when = mark.args
                found = Reason(_text(reason))
                name = f"{path.relative_to(TESTS.parent)}::{test.name}"
                told = (str(found), CATALOGUE[found].message)
                named = any(each in word for word in words for each in told)
                yield Reached(name, found, _text(by), _text(when), named)


def _constants(module: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in module.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value


def _is_mark(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "reaches"


def _text(node: ast.expr) -> str:
    match node:
        case ast.Attribute(attr=name):
            return name
        case ast.Name(id=name):
            return NAMES[name]
        case ast.Constant(value=str(text)):
            return text
    raise AssertionError(f"line {node.lineno}: a mark has literal arguments only")


def _words(nodes: Sequence[ast.AST], constants: Mapping[str, ast.expr]) -> set[str]:
    """Every name and text in these nodes, and in the module's constants that they use."""
    words: set[str] = set()
    for node in nodes:
        for each in ast.walk(node):
            match each:
                case ast.Attribute(attr=name):
                    words.add(name)
                case ast.Constant(value=str(text)):
                    words.add(text)
                case ast.Name(id=name) if name in constants:
                    words |= _words([constants[name]], {})
    return words
