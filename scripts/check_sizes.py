"""Fails on modules and functions that are too long to be read in one sitting.

usage: check_sizes.py FOLDER…

A module may have 400 lines, a function 50 lines besides its docstring. A longer function gives its reason in a
comment `# long: …` on its first line.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 50
GENERATED = {"v1", "reflection_v1"}


def complaints(path: Path) -> Iterator[str]:
    """Yields one line per module or function of the file that is too long."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    if len(lines) > MAX_MODULE_LINES:
        yield f"{path}: {len(lines)} lines (at most {MAX_MODULE_LINES})"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = node.body[0] if ast.get_docstring(node) is not None else None
            docstring_lines = docstring.end_lineno - docstring.lineno + 1 if docstring else 0
            length = node.end_lineno - node.lineno + 1 - docstring_lines
            if length > MAX_FUNCTION_LINES and "# long: " not in lines[node.lineno - 1]:
                yield f"{path}:{node.lineno}: {node.name} has {length} lines (at most {MAX_FUNCTION_LINES})"


def main() -> int:
    """Prints the complaints about all modules of the named folders; returns the exit code."""
    modules = sorted(path for folder in sys.argv[1:] for path in Path(folder).rglob("*.py"))
    found = [line for path in modules if not GENERATED & set(path.parts) for line in complaints(path)]
    print("\n".join(found) if found else f"{len(modules)} modules")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
