"""Lines of OCR into paragraphs."""

from ingest_grpc.pipeline.parse.ocr.paragraphs import join_lines


def test_join__lines_of_a_paragraph_and_words_broken_at_their_end() -> None:
    lines = ["A sentence that was bro-", "ken at the end", "of a line.", "", "Another.", ""]
    assert join_lines(lines) == "A sentence that was broken at the end of a line.\n\nAnother."


def test_join__a_hyphen_before_a_capital_and_a_number_stay() -> None:
    assert join_lines(["North-", "East", "1900-", "1910"]) == "North- East 1900- 1910"


def test_join__items_of_a_list_keep_their_lines() -> None:
    assert join_lines(["Fruit:", "- apples", "- pears", "and plums", "2. nuts"]) == (
        "Fruit:\n- apples\n- pears and plums\n2. nuts"
    )


def test_join__nothing() -> None:
    assert join_lines(["", "  ", ""]) == ""
