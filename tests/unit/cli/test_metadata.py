import pytest

from ingest_grpc.cli.failures import Failure
from ingest_grpc.cli.metadata import files_to_add, parsed_metadata


def test_metadata__numbers_and_booleans_are_kept_as_such() -> None:
    given = ["author=Ada", "year=1843", "share=0.5", "draft=false", 'code="42"', "empty=", "sum=1+1=2", "list=[1]"]
    assert parsed_metadata(given) == {
        "author": "Ada",
        "year": 1843,
        "share": 0.5,
        "draft": False,
        "code": "42",
        "empty": "",
        "sum": "1+1=2",
        "list": "[1]",
    }
    assert parsed_metadata(["odd=NaN", "none=null"]) == {"odd": "NaN", "none": "null"}


@pytest.mark.parametrize("text", ["author", "=Ada", ""])
def test_metadata__refuses_what_is_no_pair(text: str) -> None:
    with pytest.raises(Failure, match="no metadata"):
        parsed_metadata([text])


def test_metadata__of_files_to_add_is_on_each_of_them() -> None:
    first, second = files_to_add(["file-1", "file-2"], ["year=1843", "author=Ada"])
    assert (first.file_id, second.file_id) == ("file-1", "file-2")
    assert dict(first.metadata) == dict(second.metadata) == {"year": 1843, "author": "Ada"}
    (bare,) = files_to_add(["file-1"], None)
    assert not bare.HasField("metadata")
