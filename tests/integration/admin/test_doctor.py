"""What `ingest-grpc doctor` finds on this machine, and what it says where something is missing."""

import json
import sys
from pathlib import Path

import pytest

from ingest_grpc.admin import doctor
from ingest_grpc.admin.doctor import examine
from ingest_grpc.config import Settings
from ingest_grpc.worker.executors.local import LocalExecutor
from ingest_grpc.worker.findings import Finding
from tests.acceptance.server import run_cli


def named(findings: list[Finding], subject: str) -> Finding:
    [found] = [each for each in findings if each.subject == subject]
    return found


async def test_doctor__sees_every_protection_and_a_conversion(tmp_path: Path) -> None:
    findings = await examine(Settings(data_dir=tmp_path / "data", workers=1))
    protections = {each.subject: each.ok for each in findings if each.subject.startswith("sandbox: ")}
    assert len(protections) >= 9
    assert all(protections.values()), protections
    assert "xberg" in named(findings, "conversion").detail
    assert named(findings, "data folder").detail.endswith("data, will be made")
    assert not (tmp_path / "data").exists()


async def test_doctor__says_what_is_missing_and_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = (sys.executable, "-I", str(Path(__file__).parents[1] / "sandbox" / "canary.py"), "on_an_old_kernel")
    monkeypatch.setattr(doctor, "LocalExecutor", lambda settings: LocalExecutor(settings, command))
    settings = Settings(
        data_dir=tmp_path,
        workers=200,
        conversion_memory_bytes=2**40,
        tls_certificate=tmp_path / "no certificate",
        tls_key=tmp_path / "no key",
        blobs_url="s3://",
        import_urls=("file:///srv",),
        import_roots=(tmp_path / "nowhere",),
        ocr_engine="tesseract",
        ocr_languages=("xyz",),
        require_sandbox=True,
        min_free_disk_bytes=2**60,
    )
    findings = await examine(settings)
    missing = {each.subject: each.fix for each in findings if each.ok is False}
    assert set(missing) >= {
        *("sandbox: landlock", "memory", "free disk", "conversion"),
        *("TLS", "object store", "import URLs", "import root", "OCR"),
    }
    assert all(missing.values())
    assert "5.13" in missing["sandbox: landlock"]


async def test_doctor__knows_a_folder_that_is_there_and_one_that_cannot_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    assert named(list(doctor._folders(Settings(data_dir=Path("data")))), "data folder").detail == "data"
    (tmp_path / "file").touch()
    for nowhere in (Path("/proc/foo"), tmp_path / "file"):
        found = named(list(doctor._folders(Settings(data_dir=nowhere))), "data folder")
        assert (found.ok, bool(found.fix)) == (False, True)


def test_command__shows_it_and_exits_with_what_it_found(tmp_path: Path) -> None:
    done = run_cli("doctor", "--json", data_dir=tmp_path, workers=1)
    findings = json.loads(done.stdout)["findings"]
    assert done.returncode == (1 if any(each["ok"] is False for each in findings) else 0)
    assert {"subject", "ok", "detail", "fix"} == set(findings[0])
    shown = run_cli("doctor", data_dir=tmp_path, workers=1, min_free_disk_bytes=2**60)
    assert shown.returncode == 1
    assert "landlock" in shown.stdout
    assert "min_free_disk_bytes uploads are refused" in shown.stdout + shown.stderr
