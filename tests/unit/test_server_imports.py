"""What a server loads before it serves: its start is mostly imports, and its idle memory too."""

import subprocess
import sys

LATER = {
    "charset_normalizer": "only converter children look at bytes",
    "httpx": "only an endpoint of a model needs it",
    "numpy": "only embedders count with it",
    "opentelemetry": "only where metrics are pushed",
    "pypdfium2": "only converter children open PDFs",
    "rich": "only people look at it",
    "typer": "only the command line has it, and loads it before",
    "wordllama": "only with the first knowledge base",
    "xberg": "only converter children convert",
}


def test_server__loads_nothing_before_it_needs_it() -> None:
    code = "import sys, ingest_grpc.app; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert sorted(LATER.keys() & set(done.stdout.split())) == []
