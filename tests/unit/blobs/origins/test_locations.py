import pytest

from ingest_grpc.blobs.origins.locations import Location, parse, parse_prefix


def test_parse__takes_a_url_apart() -> None:
    assert parse("s3://bucket/a/b%20c.pdf") == Location("s3", "bucket", ("a", "b c.pdf"))
    assert (
        parse("file:///data/a.pdf") == parse("file://localhost/data/a.pdf") == Location("file", "", ("data", "a.pdf"))
    )
    assert parse("gs://b/x").path == "x"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.pdf",
        "http://host/a.pdf",
        "https://host/a.pdf",
        "ftp://host/a",
        "S3:/bucket/a",
        "s3://",
        "s3://bucket",
        "s3://bucket/",
        "s3://bucket/folder/",
        "s3:///a",
        "s3://user:secret@bucket/a",
        "s3://bucket/a?versionId=1",
        "s3://bucket/a#x",
        "s3://bucket/a/../b",
        "s3://bucket/a/./b",
        "s3://bucket/a//b",
        "s3://bucket/a/%2e%2e/b",
        "s3://bucket/a/..%2Fb",
        "s3://bucket/a\\b",
        "s3://bucket/a b",
        "s3://bucket/a\nb",
        "s3://bucket/a%00b",
        "s3://bucket/%ff",
        "file://host/etc/passwd",
        "file:///a/../etc/passwd",
        "s3://bucket/" + "x" * 2_048,
    ],
)
def test_parse__refuses_what_is_no_plain_name_of_an_object(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(url)


@pytest.mark.parametrize(
    ("url", "prefix", "below"),
    [
        ("s3://bucket/in/a", "s3://bucket/in/", True),
        ("s3://bucket/in/a", "s3://bucket/in", True),
        ("s3://bucket/in/a", "s3://bucket", True),
        ("s3://bucket/in/a", "s3://bucket/in/a", True),
        ("s3://bucket/inside/a", "s3://bucket/in", False),
        ("s3://bucket-2/in/a", "s3://bucket", False),
        ("gs://bucket/in/a", "s3://bucket", False),
        ("s3://bucket/a", "s3://bucket/a/b", False),
    ],
)
def test_is_below__compares_part_by_part(url: str, prefix: str, below: bool) -> None:
    assert parse(url).is_below(parse_prefix(prefix)) is below
