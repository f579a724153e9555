import subprocess
import sys


def test_import__loads_neither_settings_nor_the_server_side() -> None:
    # In a process of its own, because other tests have loaded them already. Scripts should not wait for them.
    code = (
        "import sys, ingest_grpc.client;"
        "print(*{'.'.join(name.split('.')[:2]) for name in sys.modules if name.startswith('ingest_grpc.')},"
        " *{name.split('.')[0] for name in sys.modules if name.startswith(('pydantic', 'sqlite3', 'obstore'))})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    own = ("addresses", "client", "errors", "formats", "units", "v1")
    assert set(done.stdout.split()) == {f"ingest_grpc.{name}" for name in own}
