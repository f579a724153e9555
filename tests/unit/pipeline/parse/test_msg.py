"""Outlook messages: headers and body like those of a mail, attachments converted, damage left to the engine."""

import struct

import pytest

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse.outcome import Parsed, ParseFailure
from ingest_grpc.pipeline.parse.parser import parse
from tests import documents
from tests.compound_files import compound_file, message, message_streams
from tests.limits import options


def converted(data: bytes) -> Parsed:
    return parse(data, "a.msg", "", options(), lambda *_: None)[1]


def test_msg__looks_like_a_mail() -> None:
    parsed = converted(message("Grüße", "Words of\r\na message."))
    assert parsed.markdown == (
        "**Subject**: Grüße\n\n**From**: Ann <ann@example.com>\n\n**To**: Bob <bob@example.com>\n\n"
        "**Date**: Wed, 17 Jan 2024 21:20:00 +0000\n\nWords of\na message.\n"
    )
    assert (parsed.title, parsed.engine, parsed.losses) == ("Grüße", "python", [])


def test_msg__attachments_are_converted_or_lost() -> None:
    attached = {"prices.csv": b"a,b\n1,2\n", "letter.docx": documents.word(), "scan.png": documents.picture()}
    inner = message_streams("Inner", "Inner words.", at_root=False)
    parsed = converted(message(attached=attached, inner=inner))
    assert "## Attachment: prices.csv (application/octet-stream)\n\n| a | b |" in parsed.markdown
    assert "Some words in a document." in parsed.markdown
    assert "## Attachment: Inner (message/rfc822)\n\n**Subject**: Inner" in parsed.markdown
    assert [loss.startswith("the attachment scan.png") for loss in parsed.losses] == [True]


def test_msg__html_comes_before_plain_text() -> None:
    streams = dict(message_streams("Page", "plain"))
    streams["__substg1.0_10130102"] = "<html><body><h1>Rich wörds</h1></body></html>".encode()
    assert "# Rich wörds" in converted(compound_file(streams)).markdown


@pytest.mark.parametrize(("page", "text"), [(0, "Größe"), (1251, "Привет")])
def test_msg__texts_of_before_unicode(page: int, text: str) -> None:
    known = struct.pack("<IIQ", 0x3FFD0003, 6, page) if page else b""
    encoded = text.encode(f"cp{page or 1252}")
    streams = {"__properties_version1.0": bytes(32) + known, "__substg1.0_0037001E": encoded}
    assert text in converted(compound_file(streams)).markdown


@pytest.mark.parametrize("shift", [63, 200])
def test_msg__with_impossible_sectors_is_unreadable(shift: int) -> None:
    damaged = bytearray(message("Subject", "Words of a message."))
    damaged[32] = shift  # sectors of 2**shift bytes for what is small ([MS-CFB] 2.2)
    with pytest.raises(ParseFailure) as failure:
        converted(bytes(damaged))
    assert failure.value.reason is Reason.FILE_UNREADABLE


@pytest.mark.parametrize(
    ("streams", "reason"),
    [
        ({"__properties_version1.0": bytes(32)}, Reason.EMPTY_FILE),
        ({"__properties_version1.0": bytes(32), "__substg1.0_10090102": b"no compressed RTF"}, Reason.EMPTY_FILE),
    ],
)
def test_msg__without_words(streams: dict[str, bytes], reason: Reason) -> None:
    with pytest.raises(ParseFailure) as failure:
        converted(compound_file(streams))
    assert failure.value.reason is reason
