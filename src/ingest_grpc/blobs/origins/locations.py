"""URLs of importable objects, taken apart so strictly that a comparison of parts decides what is allowed."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

SCHEMES = frozenset({"s3", "gs", "az", "file"})
MAX_URL_CHARACTERS = 2_048


@dataclass(frozen=True, slots=True)
class Location:
    """`s3://bucket/a/b` is ("s3", "bucket", ("a", "b")); the host of a file is empty."""

    scheme: str
    host: str
    parts: tuple[str, ...]

    @property
    def path(self) -> str:
        """The parts as one path, decoded and without a slash in front."""
        return "/".join(self.parts)

    def is_below(self, prefix: "Location") -> bool:
        """Whether it is the prefix itself or lies below it; part by part, so that /in does not allow /inside."""
        same_place = (self.scheme, self.host) == (prefix.scheme, prefix.host)
        return same_place and self.parts[: len(prefix.parts)] == prefix.parts


def parse(url: str) -> Location:
    """The location of an object. Raises ValueError, which says what is wrong."""
    location = parse_prefix(url)
    if not location.parts or url.endswith("/"):
        raise ValueError("names no object")
    return location


def parse_prefix(url: str) -> Location:
    """As `parse`, for a folder or a whole bucket."""
    if len(url) > MAX_URL_CHARACTERS or not url.isprintable() or "\\" in url or " " in url:
        raise ValueError(f"is not a URL of at most {MAX_URL_CHARACTERS:,} printable characters without blanks")
    split = urlsplit(url)
    if split.scheme not in SCHEMES:
        raise ValueError(f"has none of the schemes {', '.join(sorted(SCHEMES))}")
    if "@" in split.netloc or "?" in url or "#" in url:
        raise ValueError("must not hold credentials, a query or a fragment")
    if (split.scheme == "file") != (split.netloc in {"", "localhost"}):
        raise ValueError("names no bucket" if not split.netloc else "names a file of another machine")
    host = "" if split.scheme == "file" else split.netloc
    path = split.path.removeprefix("/").removesuffix("/")
    # Decoded once, here, and compared decoded: an encoded ".." or "/" must not be seen by the store alone.
    parts = tuple(unquote(part, errors="strict") for part in path.split("/")) if path else ()
    if any(part in {"", ".", ".."} or "/" in part or "\0" in part for part in parts):
        raise ValueError("has a path with empty, relative or encoded parts")
    return Location(split.scheme, host, parts)
