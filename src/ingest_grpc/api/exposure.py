"""Who can reach the server, and the refusal to be reached without protection."""

import ipaddress
import ssl

import grpc

from ingest_grpc.addresses import UNIX, split_address
from ingest_grpc.config import Settings, WrongSetting


class ExposureRefused(Exception):
    """The settings would let anyone in the network read or change documents."""

    fix = (
        "Set tls_certificate and tls_key, create a key with "
        "'ingest-grpc admin keys create --team T --user U --data-dir FOLDER', or accept the risk with --insecure."
    )


class MetricsExposed(ExposureRefused):
    """The settings would show the metrics to anyone in the network; neither TLS nor keys protect their page."""

    fix = "Keep it on loopback and let a proxy or an agent there scrape it, or push with otlp_endpoint."


def check_exposure(settings: Settings, *, has_keys: bool) -> None:
    """Raises ExposureRefused for an address beyond loopback, unless there are TLS and API keys, or `insecure` is set.

    `has_keys` says whether the ledger holds a key that is valid: without any, everyone is let in.
    """
    if settings.insecure or is_loopback(settings.address):
        return
    missing = [
        name for name, present in (("TLS", settings.tls_certificate is not None), ("API keys", has_keys)) if not present
    ]
    if missing:
        raise ExposureRefused(f"refused to listen on {settings.address} without {' and '.join(missing)}")


def is_loopback(address: str) -> bool:
    """Whether an address (host:port, [IPv6]:port or unix:path) can be reached from this machine only."""
    if address.startswith(UNIX):
        return True
    host, _ = split_address(address)
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def server_credentials(settings: Settings) -> grpc.ServerCredentials | None:
    """Credentials from the PEM files of the settings; None without any. Raises WrongSetting."""
    if settings.tls_certificate is None or settings.tls_key is None:  # one alone is refused with the settings
        return None
    try:
        key, certificate = settings.tls_key.read_bytes(), settings.tls_certificate.read_bytes()
        # gRPC would say of a file that is no PEM, or of a foreign key, that the address cannot be had.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.tls_certificate, settings.tls_key, password="")
    except OSError as error:  # SSLError is one
        raise WrongSetting(f"tls_certificate and tls_key cannot be used: {error}") from error
    return grpc.ssl_server_credentials([(key, certificate)])
