"""JSON and XML: the data itself, unaltered, in a code block. Nothing is fetched, no entity is expanded."""

import json
import re
from xml.parsers import expat

from ingest_grpc.pipeline.parse.characters import decode
from ingest_grpc.pipeline.parse.outcome import Parsed
from ingest_grpc.pipeline.parse.source import Source
from ingest_grpc.pipeline.parse.text import engine_of, fenced, read

_XML_ENCODING = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_COMPACT_FORMS = ((",", ":"), (", ", ": "))


def parse_json(source: Source) -> Parsed:
    """One line of JSON is set in lines; what is no valid JSON stays as it is, with a warning."""
    decoded = read(source)
    warnings, text, language = list(decoded.warnings), decoded.text.strip(), "json"
    try:
        text = _readable(text)
    except (ValueError, RecursionError) as error:
        warnings.append(f"not valid JSON, kept as text: {error}")
        language = ""
    return Parsed(fenced(text, language), engine_of(decoded), warnings=warnings)


def parse_json_lines(source: Source) -> Parsed:
    """One JSON value per line, as they stand; lines that are none stay too, with a warning."""
    decoded = read(source)
    lines = decoded.text.strip().splitlines()
    wrong = [number for number, line in enumerate(lines, 1) if line.strip() and not _is_json(line)]
    warnings = list(decoded.warnings)
    if wrong:
        warnings.append(f"{len(wrong)} of {len(lines)} lines are not valid JSON, the first is line {wrong[0]}")
    return Parsed(fenced("\n".join(lines), "jsonl"), engine_of(decoded), warnings=warnings)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _readable(text: str) -> str:
    """`text` over several lines if it was one line and nothing is lost by that; ValueError if it is no JSON."""
    value = json.loads(text)
    if "\n" in text:
        return text
    for separators in _COMPACT_FORMS:
        for ascii_only in (False, True):
            # Repeated keys or long decimals would not survive: set in lines only what comes back identical.
            if json.dumps(value, separators=separators, ensure_ascii=ascii_only) == text:
                return json.dumps(value, indent=2, ensure_ascii=False)
    return text


def parse_xml(source: Source) -> Parsed:
    """The XML as it stands; what is not well-formed stays too, with a warning."""
    decoded = read(source)
    if decoded.guessed and (found := _XML_ENCODING.match(source.data)):
        decoded = decode(source.data, found[1].decode("ascii"))
    warnings = decoded.warnings + _xml_warnings(decoded.text)
    return Parsed(fenced(decoded.text, "xml"), engine_of(decoded), warnings=warnings)


class _DeclaresEntities(Exception):
    """The document defines entities: whether it is well-formed would take expanding them."""


def _xml_warnings(text: str) -> list[str]:
    parser = expat.ParserCreate()
    parser.EntityDeclHandler = _refuse_entities
    try:
        parser.Parse(text, True)
    except _DeclaresEntities:
        return ["the document declares entities; they are not expanded"]
    except expat.ExpatError as error:
        return [f"not well-formed XML, kept as text: {error}"]
    return []


def _refuse_entities(*_declaration: object) -> None:
    raise _DeclaresEntities
