"""Settings that are refused when they are read, and how the documentation writes them."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from ingest_grpc.config import Settings

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("address", "127.0.0.1:99999"),
        ("address", "localhost"),
        ("metrics_address", "foo"),
        ("metrics_address", "unix:/tmp/socket"),
        ("log_level", "foo"),
    ],
)
def test_settings__refuse_one_and_name_it(name: str, value: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({name: value})
    assert [each["loc"] for each in refused.value.errors()] == [(name,)]


@pytest.mark.parametrize("name", ["tls_certificate", "tls_key"])
def test_settings__certificate_and_key_belong_together(name: str) -> None:
    with pytest.raises(ValidationError, match="tls_certificate and tls_key must be set together"):
        Settings.model_validate({name: "file.pem"})


def test_settings__take_what_is_meant() -> None:
    settings = Settings.model_validate({"address": "unix:/tmp/s", "log_level": "debug", "align_api_key": "secret\n"})
    assert (settings.address, settings.log_level) == ("unix:/tmp/s", "DEBUG")
    assert settings.align_api_key is not None
    assert settings.align_api_key.get_secret_value() == "secret"


def test_settings__documented_defaults_can_be_set_as_they_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    documented = dict(re.findall(r"^\| `(INGEST_\w+)` \| (.*?) ?\|", OPERATIONS.read_text(), re.MULTILINE))
    assert len(documented) == len(Settings.model_fields)
    for variable, default in documented.items():
        if default != "\N{EN DASH}":
            monkeypatch.setenv(variable, default)
    assert Settings() == Settings.model_construct()
