"""What the documentation shows: its blocks of code, the commands in them, and what commands of grpcurl and buf ask."""

import argparse
import json
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]

_FENCED = re.compile(r"^```(?P<info>.*)\n(?P<text>(?:.*\n)*?)```$", re.MULTILINE)
_CONTINUED = re.compile(r"\\\n\s*|(?<=\|)\n\s*")
_PLACEHOLDER = re.compile(r"(?<![\w-])(md-file|file|up|ijf|ij|dj|kb|ds)-…")
_ID = re.compile(r"(?<![\w-])(md-file|file|up|ijf|ij|dj|kb|ds)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Block:
    """A fenced block; `info` is what stands behind the opening fence, `line` where that is."""

    page: Path
    line: int
    info: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """Its command lines, those that go on behind a backslash or a bar in one piece."""
        return [line for line in _CONTINUED.sub(" ", self.text).splitlines() if line]

    @property
    def messages(self) -> list[Any]:
        """The JSON values that it shows one after the other."""
        return json_values(self.text)


def blocks(page: Path, language: str = "") -> list[Block]:
    """All fenced blocks of a page, or those of a language."""
    text = page.read_text()
    found = [
        Block(page, text.count("\n", 0, match.start()) + 1, match["info"], match["text"])
        for match in _FENCED.finditer(text)
    ]
    return [block for block in found if not language or block.info.split()[:1] == [language]]


def json_values(text: str) -> list[Any]:
    """JSON values that follow each other. Raises json.JSONDecodeError at anything else."""
    decoder, values = json.JSONDecoder(), []
    while text := text.lstrip():
        value, end = decoder.raw_decode(text)
        values.append(value)
        text = text[end:]
    return values


def shows(shown: Any, printed: Any) -> bool:
    """Whether `printed` is what the page shows, where an object may be shortened and "…" stands for any text."""
    match shown:
        case dict():
            return isinstance(printed, dict) and all(
                name in printed and shows(value, printed[name]) for name, value in shown.items()
            )
        case list():
            return isinstance(printed, list) and len(shown) == len(printed) and all(map(shows, shown, printed))
        case str():
            pattern = ".*".join(map(re.escape, shown.split("…")))
            return isinstance(printed, str) and re.fullmatch(pattern, printed, re.DOTALL) is not None
        case _:
            return bool(shown == printed)


class Ids:
    """The ids that a reader would copy: of each kind the first one that the last output with any of it named."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def learn(self, output: str) -> None:
        first: dict[str, str] = {}
        for match in _ID.finditer(output):
            first.setdefault(match[1], match[0])
        self._known.update(first)

    def fill(self, text: str) -> str:
        """The text with ids in place of `file-…` and its like. KeyError if no output named one yet."""
        return _PLACEHOLDER.sub(lambda match: self._known[match[1]], text)


@dataclass(frozen=True)
class Call:
    """What a command of either tool asks of a server. Requests from stdin are "@"."""

    method: str
    data: str | None = None
    headers: tuple[str, ...] = ()
    emit_defaults: bool = False


def calls(command: str, tool: str) -> Iterator[Call]:
    """The RPCs in a command line by `tool`, "grpcurl" or "buf". An unknown option is a SystemExit."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    tokens = list(lexer)
    if tool not in tokens:
        return
    arguments = tokens[tokens.index(tool) + 1 :]
    end = next((index for index, token in enumerate(arguments) if set(token) <= set("();<>|&")), len(arguments))
    call = (_grpcurl if tool == "grpcurl" else _buf)(arguments[:end])
    if call is not None:
        yield call


def _grpcurl(arguments: Sequence[str]) -> Call | None:
    parser = argparse.ArgumentParser("grpcurl", allow_abbrev=False)
    for flag in ("-plaintext", "-emit-defaults", "-msg-template"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("-d")
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("address")
    parser.add_argument("method")
    parser.add_argument("symbol", nargs="?")
    given = parser.parse_args(arguments)
    if given.method in ("list", "describe"):
        return None
    return Call(given.method, given.d, tuple(given.H), given.emit_defaults)


def _buf(arguments: Sequence[str]) -> Call | None:
    parser = argparse.ArgumentParser("buf", allow_abbrev=False)
    parser.add_argument("command", choices=["curl"])
    for flag in ("--emit-defaults", "--list-services", "--list-methods"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("--protocol", choices=["grpc"])
    parser.add_argument("--reflect-header")
    parser.add_argument("-d")
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("url")
    given = parser.parse_args(arguments)
    if given.list_services or given.list_methods:
        return None
    data = "@" if given.d == "@-" else given.d
    return Call("/".join(given.url.split("/")[-2:]), data, tuple(given.H), given.emit_defaults)
