"""Network addresses as people write them: one reading for what a server listens on and for what a client calls."""

import re

_HOST_PORT = re.compile(r"(?:([^\s:/\[\]]+)|\[([0-9A-Fa-f:.]+(?:%\w+)?)\]):([0-9]{1,5})", re.ASCII)
_MAX_PORT = 65_535
UNIX = "unix:"
"""What the address of a socket in the file system begins with."""


def split_address(address: str) -> tuple[str, int]:
    """Host, an IPv6 one without its brackets, and port. Raises ValueError that says how an address is written."""
    match = _HOST_PORT.fullmatch(address)
    if match is None:
        raise ValueError(f"{address!r} is no host:port, such as 127.0.0.1:50061 or [::1]:50061")
    host, ipv6, digits = match.groups()
    if (port := int(digits)) > _MAX_PORT:
        raise ValueError(f"{address!r} has a port above {_MAX_PORT}")
    return host or ipv6, port
