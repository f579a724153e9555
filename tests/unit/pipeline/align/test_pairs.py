import json

import pytest

from ingest_grpc.pipeline.align.chat import Unusable
from ingest_grpc.pipeline.align.pairs import Pair, lines, messages, read_pairs
from ingest_grpc.pipeline.align.reading import SourceSection
from ingest_grpc.pipeline.align.sections import Section

SECTION = SourceSection(Section(("Leave", "Sick leave"), "Tell your manager."), "md-file-1", "handbook.md", 3)
PAIR = {"question": " Who is told? ", "answer": "The manager."}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"pairs": [PAIR]}),
        json.dumps([PAIR]),
        f"```json\n{json.dumps({'pairs': [PAIR]})}\n```",
        f"\n```\n{json.dumps({'pairs': [PAIR]}, indent=1)}\n```\n",
    ],
)
def test_read_pairs(text: str) -> None:
    assert read_pairs(text) == [Pair("Who is told?", "The manager.")]


def test_read_pairs__none() -> None:
    assert read_pairs('{"pairs": []}') == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Sure! Here are the pairs:",
        "3",
        '"pairs"',
        "{}",
        '{"pairs": {}}',
        '{"pairs": ["q"]}',
        '{"pairs": [{"question": "q"}]}',
        '{"pairs": [{"question": "q", "answer": " "}]}',
        '{"pairs": [{"question": 1, "answer": "a"}]}',
    ],
)
def test_read_pairs__refuses_anything_else(text: str) -> None:
    with pytest.raises(Unusable):
        read_pairs(text)


def test_messages__say_where_the_section_stands_and_what_is_wanted() -> None:
    system, user = messages(SECTION, "Ask in French.")
    assert system["role"] == "system"
    assert system["content"].endswith("Ask in French.")
    assert user == {
        "role": "user",
        "content": "Document: handbook.md\nSection: Leave > Sick leave\n\nTell your manager.",
    }


def test_messages__without_instructions() -> None:
    assert "instructions" not in messages(SECTION, " ")[0]["content"]


def test_lines__are_conversations() -> None:
    [line] = lines(SECTION, [Pair("Who?", "Élise.")], "Be kind.").splitlines()
    assert "Élise" in line
    assert json.loads(line) == {
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Who?"},
            {"role": "assistant", "content": "Élise."},
        ],
        "heading_path": ["Leave", "Sick leave"],
        "source": {"file_id": "md-file-1", "filename": "handbook.md", "section": 3},
    }


def test_lines__without_a_system_prompt() -> None:
    [line] = lines(SECTION, [Pair("Who?", "Me.")], "").splitlines()
    assert [message["role"] for message in json.loads(line)["messages"]] == ["user", "assistant"]
