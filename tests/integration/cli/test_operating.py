"""Servers, keys and interrupts: what an operator does, in processes of their own."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from subprocess import Popen

import pytest
from typer.testing import CliRunner

from ingest_grpc.admin import create_key
from ingest_grpc.cli.main import app
from ingest_grpc.config import load_settings
from tests.integration.cli.conftest import json_lines, runner
from tests.integration.cli.servers import INGEST_GRPC, Server, running_server


def test_serve__announces_its_address_and_ends_when_told(tmp_path: Path) -> None:
    with running_server(tmp_path, "--workers", "0") as server:
        host, _, port = server.address.partition(":")
        assert host == "127.0.0.1"
        assert int(port) > 0
        assert server.stop() == 0


@contextmanager
def hang_up(does: signal.Handlers) -> Iterator[None]:
    """What SIGHUP does to children, who inherit it where it is ignored: nohup may run the tests themselves."""
    before = signal.signal(signal.SIGHUP, does)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def test_serve__ends_in_order_when_its_terminal_closes(tmp_path: Path) -> None:
    with hang_up(signal.SIG_DFL), running_server(tmp_path, "--workers", "0") as server:
        server.process.send_signal(signal.SIGHUP)
        assert server.process.wait(30) == 0
    assert not (tmp_path / "ready").exists()


def test_serve__under_nohup_outlives_its_terminal(tmp_path: Path) -> None:
    with hang_up(signal.SIG_IGN), running_server(tmp_path, "--workers", "0") as server:
        server.process.send_signal(signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            server.process.wait(1)
        assert server.stop() == 0


def test_serve__a_wrong_setting_is_a_usage_error(tmp_path: Path) -> None:
    done = subprocess.run(
        [*INGEST_GRPC, "serve", "--data-dir", str(tmp_path), "--workers", "-3"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: Invalid settings.\n  workers: ")
    assert "fix: " in done.stderr


def test_doctor__a_list_that_is_no_json_is_told_how_to_write_it() -> None:
    result = CliRunner(env={"INGEST_IMPORT_ROOTS": "/srv/incoming"}).invoke(app, ["doctor"])
    assert result.exit_code == 2
    assert "import_roots" in result.stderr
    assert """INGEST_IMPORT_ROOTS='["/srv/incoming"]'""" in " ".join(result.stderr.split())
    assert "report this" not in result.stderr


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"INGEST_BLOBS_URL": "s3://"}, "blobs_url: 's3://' names no object store: "),
        ({"INGEST_IMPORT_URLS": '["foo"]'}, "import_urls: 'foo' "),
        ({"INGEST_METRICS_ADDRESS": "foo"}, "metrics_address: 'foo' is no host:port"),
        ({"INGEST_EMBEDDER": "onnx"}, "embedder onnx needs embedding_model_dir"),
        ({"INGEST_TLS_KEY": "key.pem"}, "tls_certificate and tls_key must be set together"),
    ],
)
def test_serve__names_the_wrong_setting(tmp_path: Path, variables: dict[str, str], told: str) -> None:
    command = [*INGEST_GRPC, "serve", "--data-dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **variables})
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: Invalid settings.\n  {told}")
    assert "report this" not in done.stderr


@pytest.mark.parametrize(("content", "told"), [(b"\nworkers = =", "at line 2"), (b"\xff", "can't decode")])
def test_serve__a_settings_file_that_is_no_toml_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(content)
    result = CliRunner(env={"INGEST_CONFIG": str(file)}).invoke(app, ["serve"])
    assert result.exit_code == 2
    assert f"{file}: " in result.stderr
    assert told in result.stderr
    assert "report this" not in result.stderr


@pytest.mark.parametrize("option", [("--address", "http://127.0.0.1:50061"), ("--api-key", "schl\u00fcssel")])
def test_jobs__a_wrong_option_is_a_usage_error(option: tuple[str, str]) -> None:
    result = CliRunner(env={"INGEST_ADDRESS": None}).invoke(app, ["jobs", "list", *option])
    assert result.exit_code == 2
    assert "Correct --address (INGEST_ADDRESS) or --api-key (INGEST_API_KEY)." in " ".join(result.stderr.split())


def test_serve__a_settings_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    result = CliRunner(env={"INGEST_CONFIG": str(tmp_path / "settings.toml")}).invoke(app, ["serve"])
    assert result.exit_code == 2
    assert "which INGEST_CONFIG names" in result.stderr


def test_serve__a_second_server_on_the_same_folder_is_refused(idle: Server) -> None:
    command = [*INGEST_GRPC, "serve", "--address", "127.0.0.1:0", "--data-dir", str(idle.data_dir)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "error: " in done.stderr
    assert "fix: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder whose data folder has an API key, and the key."""
    folder = tmp_path_factory.mktemp("idle")
    _, secret = asyncio.run(create_key(load_settings(data_dir=folder / "data"), team="t", user="u", scopes=["WRITE"]))
    return folder, secret


@pytest.fixture(scope="module")
def idle(key: tuple[Path, str]) -> Iterator[Server]:
    """A server that converts nothing and wants the key."""
    with running_server(key[0], "--workers", "0") as server:
        yield server


def test_api_key__is_taken_from_the_environment_or_an_option(idle: Server, key: tuple[Path, str]) -> None:
    _, secret = key
    assert "The call carries no API key." in runner(idle)("jobs", "list", code=1).stderr
    assert "unknown or revoked" in runner(idle)("jobs", "list", "--api-key", "wrong", code=1).stderr
    runner(idle)("--api-key", secret, "jobs", "list")
    runner(idle, INGEST_API_KEY=secret)("jobs", "list")


def test_admin_keys__created_listed_and_revoked(tmp_path: Path) -> None:
    cli = runner(Server("127.0.0.1:1", tmp_path, None), INGEST_DATA_DIR=str(tmp_path / "data"))  # type: ignore[arg-type]
    created = cli("admin", "keys", "create", "--team", "search", "--user", "crawler", "--scope", "read")
    key_id = created.stderr.split("This is the key ")[1].split(";")[0]
    assert len(created.stdout.strip()) > 20
    (listed,) = json_lines(cli("admin", "keys", "list", "--json"))
    created_at = datetime.fromisoformat(listed.pop("created_at"))
    assert abs((datetime.now(UTC) - created_at).total_seconds()) < 600
    assert listed == {
        "key_id": key_id,
        "team_id": "search",
        "user_id": "crawler",
        "scopes": ["READ"],
        "revoked_at": None,
        "max_priority": 0,
    }
    row = cli("admin", "keys", "list").stdout.splitlines()[1].split()
    assert row[:4] == [key_id, "search", "crawler", "READ"]
    assert cli("admin", "keys", "revoke", key_id).stdout == f"{key_id} revoked\n"
    assert "There is no live key" in cli("admin", "keys", "revoke", key_id, code=1).stderr
    (listed,) = json_lines(cli("admin", "keys", "list", "--json"))
    assert datetime.fromisoformat(listed["revoked_at"]) >= created_at


def test_admin__backup_restore_and_check(idle: Server, key: tuple[Path, str], tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Some text.\n")
    runner(idle, INGEST_API_KEY=key[1])("files", "upload", tmp_path / "a.txt")
    cli = runner(idle, INGEST_DATA_DIR=str(idle.data_dir))
    (report,) = json_lines(cli("admin", "backup", tmp_path / "backup", "--json"))
    assert (report["files"], report["problems"]) == (1, [])
    assert "is not empty" in cli("admin", "backup", tmp_path / "backup", code=1).stderr
    restored = cli("admin", "restore", tmp_path / "backup", "--data-dir", tmp_path / "restored").stdout
    assert f"restored ledger id  {report['ledger_id']}" in restored
    assert cli("admin", "check", "--data-dir", tmp_path / "restored").stdout.endswith("\nNo problems.\n")
    (blob,) = [each for each in (tmp_path / "restored" / "blobs").rglob("*") if each.is_file()]
    blob.write_bytes(b"Some tex")
    damaged = cli("admin", "check", "--data-dir", tmp_path / "restored", code=1).stdout
    assert "  problem: " in damaged
    assert damaged.endswith("\n1 problem\n")
    assert "There is no ledger" in cli("admin", "check", "--data-dir", tmp_path / "nothing", code=1).stderr


def test_ingest__ctrl_c_leaves_the_job_and_says_how_to_come_back(
    idle: Server, key: tuple[Path, str], tmp_path: Path
) -> None:
    cli = runner(idle, INGEST_API_KEY=key[1])
    (tmp_path / "a.txt").write_text("Waits for ever.\n")
    ingest = subprocess.Popen(
        [*INGEST_GRPC, "ingest", str(tmp_path), "--name", "left alone"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "INGEST_ADDRESS": idle.address, "INGEST_API_KEY": key[1]},
    )
    assert ingest.stderr is not None
    assert "uploaded" in ingest.stderr.readline()
    while not (jobs := [each for each in json_lines(cli("jobs", "list", "--json")) if each["name"] == "left alone"]):
        assert ingest.poll() is None
    job_id = jobs[0]["job_id"]
    ingest.send_signal(signal.SIGINT)
    _, said = ingest.communicate(timeout=30)
    assert ingest.returncode == 130
    assert "Traceback" not in said
    assert f"ingest-grpc watch {job_id}" in said
    assert cli("jobs", "cancel", job_id).stdout == "1 file cancelled; the job is CANCELLED\n"


def interrupted(idle: Server, secret: str, *arguments: str | Path, after: Callable[[Popen[str]], object]) -> str:
    """What a command says on stderr when Ctrl-C ends it; sent once `after` returns."""
    environment = {**os.environ, "INGEST_ADDRESS": idle.address, "INGEST_API_KEY": secret}
    command = [*INGEST_GRPC, *map(str, arguments)]
    with Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        after(process)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in said
    return said


def first_line(process: Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_watch__ctrl_c_says_where_to_go_on(idle: Server, key: tuple[Path, str], tmp_path: Path) -> None:
    cli = runner(idle, INGEST_API_KEY=key[1])
    (tmp_path / "a.txt").write_text("Waits for ever.\n")
    (file,) = json_lines(cli("files", "upload", tmp_path, "--json", "--quiet"))
    job_id = cli("jobs", "create", "--name", "watched", "--file", file["file_id"]).stdout.strip()
    (job,) = json_lines(cli("jobs", "get", job_id, "--json"))
    said = interrupted(idle, key[1], "watch", job_id, after=first_line)
    assert f"ingest-grpc watch {job_id} --after-sequence {job['last_sequence']}\n" in said
    feed = interrupted(idle, key[1], "jobs", "watch", after=first_line)
    assert "ingest-grpc jobs watch" in feed


def test_files_upload__ctrl_c_says_what_is_stored(idle: Server, key: tuple[Path, str], tmp_path: Path) -> None:
    for index in range(100):
        (tmp_path / f"{index}.txt").write_text("One of many.\n")

    def stop_the_server_after_the_first(process: Popen[str]) -> None:
        assert process.stderr is not None
        assert "uploaded" in process.stderr.readline()
        idle.process.send_signal(signal.SIGSTOP)

    try:
        said = interrupted(idle, key[1], "files", "upload", tmp_path, after=stop_the_server_after_the_first)
    finally:
        idle.process.send_signal(signal.SIGCONT)
    assert "Interrupted. 'ingest-grpc files list' shows what is stored" in said


@pytest.mark.parametrize("attempt", range(3))
def test_ingest__ctrl_c_while_the_job_is_created_says_what_is_true(
    idle: Server, key: tuple[Path, str], tmp_path: Path, attempt: int
) -> None:
    """The answer to CreateJob is still to come then: whether there is a job is known to the server alone."""
    cli = runner(idle, INGEST_API_KEY=key[1])
    (tmp_path / "a.txt").write_text("Waits for ever.\n")
    name = f"interrupted early {attempt}"
    ingest = subprocess.Popen(
        [*INGEST_GRPC, "ingest", str(tmp_path), "--name", name],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "INGEST_ADDRESS": idle.address, "INGEST_API_KEY": key[1]},
    )
    assert ingest.stderr is not None
    assert "uploaded" in ingest.stderr.readline()
    idle.process.send_signal(signal.SIGSTOP)
    try:
        ingest.send_signal(signal.SIGINT)
    finally:
        idle.process.send_signal(signal.SIGCONT)
    _, said = ingest.communicate(timeout=30)
    assert ingest.returncode == 130
    jobs = [each["job_id"] for each in json_lines(cli("jobs", "list", "--json")) if each["name"] == name]
    assert said.split("Interrupted")[1].splitlines()[:2] == (
        [", but the job goes on. To follow it, to get its files, or to stop it:", f"  ingest-grpc watch {jobs[0]}"]
        if jobs
        else [" before there was a job: nothing goes on."]
    )


def test_serve__names_variables_that_are_no_settings(tmp_path: Path) -> None:
    """One that is misspelt would otherwise leave its default in force, and nobody would know why."""
    used = tmp_path / "file"
    used.write_text("no folder")
    result = CliRunner(env={"INGEST_WORKRES": "2", "INGEST_DATA_DIR": str(used)}).invoke(app, ["serve"])

    assert "INGEST_WORKRES is no setting and has no effect. Did you mean INGEST_WORKERS?" in result.stderr
    assert "INGEST_DATA_DIR is no setting" not in result.stderr
