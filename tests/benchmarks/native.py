"""Load by h2load (nghttp2), where it is installed: it costs a tenth of what a client in Python does.

Each call is checked for its HTTP status alone, so one call by our own client is compared with the expected reply first.
"""

import asyncio
import re
import shutil
import struct
import tempfile
import time
from pathlib import Path

from tests.benchmarks.http2 import Connection, load

H2LOAD = shutil.which("h2load")
CONNECTIONS, AT_ONCE = 4, 16


async def load_for(address: str, path: str, message: bytes, *, calls: int, expected: bytes, secret: str = "") -> float:
    """Seconds that `calls` unary calls took, 64 at once; RuntimeError unless they were answered."""
    if H2LOAD is None:
        began = time.perf_counter()
        await load(address, path, message, calls=calls, expected=expected, secret=secret)
        return time.perf_counter() - began
    connection = await Connection.open(address, secret)
    try:
        if await connection.call(path, message) != expected:
            raise RuntimeError("another reply than expected")
    finally:
        connection.close()
    with tempfile.NamedTemporaryFile() as body:
        Path(body.name).write_bytes(struct.pack("!BI", 0, len(message)) + message)
        return await _h2load(f"http://{address}{path}", body.name, calls, secret)


async def _h2load(url: str, body: str, calls: int, secret: str) -> float:
    headers = ["content-type: application/grpc", "te: trailers"]
    if secret:
        headers.append(f"authorization: Bearer {secret}")
    assert H2LOAD is not None
    process = await asyncio.create_subprocess_exec(
        H2LOAD,
        *("-n", str(calls), "-c", str(CONNECTIONS), "-m", str(AT_ONCE), "-d", body),
        *(part for header in headers for part in ("-H", header)),
        url,
        stdout=asyncio.subprocess.PIPE,
    )
    output = (await process.communicate())[0].decode()
    finished = re.search(r"finished in ([\d.]+)(us|ms|s),", output)
    if finished is None or f"{calls} succeeded" not in output:
        raise RuntimeError(output)
    return float(finished[1]) * {"us": 1e-6, "ms": 1e-3, "s": 1.0}[finished[2]]
