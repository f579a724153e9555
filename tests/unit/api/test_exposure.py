"""The refusal to be reached from elsewhere without protection."""

from pathlib import Path

import pytest

from ingest_grpc.api.exposure import ExposureRefused, check_exposure, is_loopback, server_credentials
from ingest_grpc.config import Settings, WrongSetting

ANYWHERE = Settings(address="0.0.0.0:1")
WITH_TLS = Settings(address="0.0.0.0:1", tls_certificate=Path("chain.pem"), tls_key=Path("key.pem"))


@pytest.mark.parametrize("address", ["127.0.0.1:0", "127.9.9.9:1", "[::1]:50061", "localhost:50061", "unix:/tmp/s"])
def test_is_loopback__yes(address: str) -> None:
    assert is_loopback(address)


@pytest.mark.parametrize("address", ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "example.com:1", "localhost.x:1"])
def test_is_loopback__no(address: str) -> None:
    assert not is_loopback(address)


@pytest.mark.parametrize(
    ("settings", "has_keys"),
    [
        (Settings(address="127.0.0.1:1"), False),
        (Settings(address="0.0.0.0:1", insecure=True), False),
        (WITH_TLS, True),
    ],
)
def test_check_exposure__allowed(settings: Settings, has_keys: bool) -> None:
    check_exposure(settings, has_keys=has_keys)


@pytest.mark.parametrize(
    ("settings", "has_keys", "missing"),
    [
        (ANYWHERE, False, "TLS and API keys"),
        (ANYWHERE, True, "without TLS$"),
        (WITH_TLS, False, "without API keys$"),
    ],
)
def test_check_exposure__refused(settings: Settings, has_keys: bool, missing: str) -> None:
    with pytest.raises(ExposureRefused, match=missing):
        check_exposure(settings, has_keys=has_keys)


def test_server_credentials__plaintext_without_settings() -> None:
    assert server_credentials(Settings()) is None


@pytest.mark.parametrize("content", [None, "no PEM"])
def test_server_credentials__files_that_are_none_are_a_wrong_setting(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "file.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(WrongSetting, match=r"^tls_certificate and tls_key cannot be used: "):
        server_credentials(Settings(tls_certificate=file, tls_key=file))
