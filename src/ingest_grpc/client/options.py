"""How the client connects: channel options, transport security, the API key."""

from importlib.metadata import version
from pathlib import Path

import grpc

from ingest_grpc.addresses import UNIX, split_address
from ingest_grpc.client.errors import InvalidOption
from ingest_grpc.units import MIB

MAX_MESSAGE_BYTES = 4 * MIB

CHANNEL_OPTIONS: tuple[tuple[str, int | str], ...] = (
    ("grpc.primary_user_agent", f"ingest-grpc-python/{version('ingest-grpc')}"),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # A peer that hangs with its connection open is found by pings; ping_timeout_ms is the one that decides.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
    # A restarted server is found within moments; the default would let a failed channel wait up to 2 minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # The operations retry, with the server's RetryInfo and mutations too; two layers would multiply attempts.
    ("grpc.enable_retries", 0),
)


_GRPC_SCHEMES = (UNIX, "unix-abstract:", "vsock:", "dns:", "ipv4:", "ipv6:", "xds:")
"""Targets that gRPC resolves in ways of its own."""


def check_target(target: str) -> None:
    """Raises InvalidOption unless the target is host:port or has a scheme of gRPC."""
    if target.startswith(_GRPC_SCHEMES):
        return
    try:
        _, port = split_address(target)
    except ValueError as error:
        raise InvalidOption(f"The address {error}.") from None
    if port == 0:
        raise InvalidOption(f"The address {target!r} has port 0, which no server has.")


def channel_credentials(tls: bool | str | Path | grpc.ChannelCredentials) -> grpc.ChannelCredentials | None:
    """Credentials for `tls`: False = plaintext (None), True = the default root certificates, a path = a PEM
    file of root certificates, credentials = as they are. Raises OSError if the file cannot be read.
    """
    if isinstance(tls, grpc.ChannelCredentials):
        return tls
    if isinstance(tls, (str, Path)):
        return grpc.ssl_channel_credentials(Path(tls).read_bytes())
    return grpc.ssl_channel_credentials() if tls else None


def call_metadata(api_key: str | None) -> tuple[tuple[str, str], ...]:
    """The metadata that every call carries. White space around the key counts as none: a mounted secret ends with a
    newline. Raises InvalidOption for a key that no call can carry."""
    key = (api_key or "").strip()
    if not (key.isascii() and key.isprintable()):
        raise InvalidOption("The API key holds a character that no key has: line breaks and letters beyond ASCII.")
    return (("authorization", f"Bearer {key}"),) if key else ()
