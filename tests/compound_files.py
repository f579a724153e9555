"""OLE compound files made in memory ([MS-CFB], version 3): the container of DOC, XLS, PPT and MSG."""

import struct
from collections.abc import Mapping

SECTOR = 512
MINI_SECTOR = 64
MINI_CUTOFF = 4096
_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
_MSG_CLASS = bytes.fromhex("0b0d020000000000c000000000000046")


def compound_file(streams: Mapping[str, bytes]) -> bytes:
    """A file with these streams by their path; names of up to 31 characters, storages before a slash."""
    mini_fat, mini, entries = _mini_streams(streams)
    chains = [_padded(data, SECTOR) for data in (*_large(streams).values(), mini) if data]
    starts, fat, at = [], [], 0
    for data in chains:
        starts.append(at)
        fat += _chain(at, len(data) // SECTOR)
        at += len(data) // SECTOR
    mini_start = starts.pop() if mini else _END
    directory = _directory(entries, dict(zip(_large(streams), starts, strict=True)), streams, mini_start, len(mini))
    mini_fat_data = _padded(struct.pack(f"<{len(mini_fat)}I", *mini_fat), SECTOR, fill=b"\xff") if mini_fat else b""
    directory_start, fat = at, fat + _chain(at, len(directory) // SECTOR)
    at += len(directory) // SECTOR
    mini_fat_start, fat = (at if mini_fat_data else _END), fat + _chain(at, len(mini_fat_data) // SECTOR)
    at += len(mini_fat_data) // SECTOR
    assert at < SECTOR // 4, "more than one sector of FAT is not needed here"
    fat.append(_FAT)
    fat_data = _padded(struct.pack(f"<{len(fat)}I", *fat), SECTOR, fill=b"\xff")
    header = struct.pack(
        "<8s16sHHHHH6xIIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", bytes(16), 0x3E, 3, 0xFFFE, 9, 6,
        0, 1, directory_start, 0, MINI_CUTOFF, mini_fat_start, len(mini_fat_data) // SECTOR, _END, 0, at,
    )  # fmt: skip
    return b"".join((_padded(header, SECTOR, fill=b"\xff"), *chains, directory, mini_fat_data, fat_data))


def word_document(*, encrypted: bool = False) -> bytes:
    """A DOC as far as its first bytes: which format it is and whether a password protects it."""
    return compound_file({"WordDocument": _padded(struct.pack("<HH6xH", 0xA5EC, 0xC1, 0x0100 * encrypted), 5000)})


def workbook(*, encrypted: bool = False) -> bytes:
    """The first records of an XLS."""
    password = struct.pack("<HH", 0x2F, 6) + bytes(6)
    return compound_file({"Workbook": struct.pack("<HH", 0x809, 16) + bytes(16) + password * encrypted + bytes(9000)})


def presentation(*, encrypted: bool = False) -> bytes:
    """The first atom of a PPT."""
    user = struct.pack("<HHIII", 0, 0x0FF6, 20, 20, 0xF3D1C4DF if encrypted else 0xE391C05F) + bytes(20)
    return compound_file({"PowerPoint Document": bytes(5000), "Current User": user})


def message(
    subject: str = "Hello",
    body: str = "Words of a message.",
    attached: Mapping[str, bytes] | None = None,
    inner: Mapping[str, bytes] | None = None,
) -> bytes:
    """An MSG as Outlook saves it ([MS-OXMSG]): a sender, a recipient, files and at most one message attached."""
    streams = dict(message_streams(subject, body))
    recipient = {0x3001: "Bob", 0x39FE: "bob@example.com"}
    streams |= _under("__recip_version1.0_#00000000", _properties(8, recipient, {0x0C150003: 1}))
    for number, (name, content) in enumerate((attached or {}).items()):
        place = f"__attach_version1.0_#{number:08X}"
        streams |= _under(place, _properties(8, {0x3707: name}))
        streams[f"{place}/__substg1.0_37010102"] = content
    if inner is not None:
        place = f"__attach_version1.0_#{len(attached or {}):08X}"
        streams |= _under(place, _properties(8, {}))
        streams |= _under(f"{place}/__substg1.0_3701000D", inner)
    return compound_file(streams)


def message_streams(subject: str, body: str, *, at_root: bool = True) -> Mapping[str, bytes]:
    """The properties of a message; `at_root` says that it is the file's own."""
    texts = {0x001A: "IPM.Note", 0x0037: subject, 0x0C1A: "Ann", 0x0C1F: "ann@example.com", 0x1000: body}
    submitted = 133_500_000_000_000_000  # in steps of 100 ns since 1601
    return _properties(32 if at_root else 24, texts, {0x00390040: submitted})


def _properties(header: int, texts: Mapping[int, str], fixed: Mapping[int, int] | None = None) -> dict[str, bytes]:
    entries = [struct.pack("<IIQ", tag << 16 | 0x001F, 6, len(text) * 2 + 2) for tag, text in texts.items()]
    entries += [struct.pack("<IIQ", tag, 6, value) for tag, value in (fixed or {}).items()]
    streams = {f"__substg1.0_{tag:04X}001F": text.encode("utf-16-le") for tag, text in texts.items()}
    return {"__properties_version1.0": bytes(header) + b"".join(entries), **streams}


def _under(place: str, streams: Mapping[str, bytes]) -> dict[str, bytes]:
    return {f"{place}/{name}": data for name, data in streams.items()}


def _large(streams: Mapping[str, bytes]) -> dict[str, bytes]:
    return {name: data for name, data in streams.items() if len(data) >= MINI_CUTOFF}


def _mini_streams(streams: Mapping[str, bytes]) -> tuple[list[int], bytes, dict[str, int]]:
    """(mini FAT, mini stream, first mini sector by name) of the small streams."""
    fat: list[int] = []
    data, starts = b"", {}
    for name, content in streams.items():
        if len(content) < MINI_CUTOFF:
            starts[name] = len(fat)
            content = _padded(content or b"\0", MINI_SECTOR)
            fat += _chain(len(fat), len(content) // MINI_SECTOR)
            data += content
    return fat, data, starts


def _directory(
    minis: Mapping[str, int], large: Mapping[str, int], streams: Mapping[str, bytes], mini_start: int, mini_size: int
) -> bytes:
    """Root, storages and streams; what a storage holds is a list to the right: a degenerate tree, but a sorted one."""
    entries = [b""]

    def add(prefix: str) -> int:
        """The entries of what lies below a storage; the number of the first of them."""
        names = sorted(
            {name.removeprefix(prefix).split("/")[0] for name in streams if name.startswith(prefix)},
            key=lambda name: (len(name), name.upper()),
        )
        first = len(entries)
        entries.extend([b""] * len(names))
        for index, name in enumerate(names, first):
            right, path = index + 1 if index < first + len(names) - 1 else _FREE, prefix + name
            if path in streams:
                start = minis[path] if path in minis else large[path]
                entries[index] = _entry(name, 2, right, _FREE, start, len(streams[path]), bytes(16))
            else:
                entries[index] = _entry(name, 1, right, add(f"{path}/"), 0, 0, bytes(16))
        return first if names else _FREE

    entries[0] = _entry("Root Entry", 5, _FREE, add(""), mini_start, mini_size, _MSG_CLASS)
    return _padded(b"".join(entries), SECTOR)


def _entry(name: str, kind: int, right: int, child: int, start: int, size: int, class_id: bytes) -> bytes:
    encoded = name.encode("utf-16-le") + b"\0\0"
    return struct.pack(
        "<64sHBBIII16sIQQIQ", encoded, len(encoded), kind, 1, _FREE, right, child, class_id, 0, 0, 0, start, size
    )


def _chain(start: int, sectors: int) -> list[int]:
    return [*range(start + 1, start + sectors), _END] if sectors else []


def _padded(data: bytes, size: int, fill: bytes = b"\0") -> bytes:
    return data + fill * (-len(data) % size)
