"""A bucket in memory behind the part of S3's HTTP interface that an object store client uses.

It is as strict as S3 where it matters: ranges beyond the end are 416, deleting what is missing is fine,
parts are invisible until their upload is completed, and all but the last have at least 5 MiB.
"""

import itertools
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from obstore.store import S3Store

_MODIFIED = "Wed, 21 Oct 2015 07:28:00 GMT"
MODIFIED_AT = 1_445_412_480_000_000
"""When every object was written, in UTC microseconds."""

_MIN_PART_BYTES = 5 * 1024 * 1024


class Bucket(ThreadingHTTPServer):
    """`objects` by key, `uploads` that were begun and neither completed nor aborted, `requests` by their verbs."""

    daemon_threads = True
    request_queue_size = 128  # the default of 5 costs a burst of clients a second

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.requests: list[str] = []
        self.refuses_parts = False
        self.part_arrived = threading.Event()
        self.may_answer_parts = threading.Event()
        self.may_answer_parts.set()
        self.numbers = itertools.count(1)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was stopped hangs up in the middle of a request; any other error is a fault of this file."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def store(self) -> S3Store:
        """A client of this bucket that does not retry."""
        return S3Store(
            "bucket",
            endpoint=f"http://127.0.0.1:{self.server_port}",
            access_key_id="id",
            secret_access_key="secret",
            region="us-east-1",
            client_options={"allow_http": True},
            retry_config={"max_retries": 0},
        )


@contextmanager
def running_bucket() -> Iterator[Bucket]:
    """A bucket that answers on a free port of the loopback until the context is left."""
    with Bucket() as bucket:
        thread = threading.Thread(target=bucket.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield bucket
        finally:
            bucket.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes: the second would wait 40 ms for an ACK
    server: Bucket

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Silence."""

    def do_GET(self) -> None:
        if self._key:
            self._get()
        else:
            self._list()

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_PUT(self) -> None:
        body = self._body()
        if (upload := self._query.get("uploadId")) is None:
            self.server.objects[self._key] = body
            self._answer(200, headers={"ETag": '"tag"'})
        else:
            self._put_part(upload, body)

    def do_POST(self) -> None:
        body = self._body()
        if "delete" in self._query:
            keys = re.findall(r"<Key>(.*?)</Key>", body.decode())
            for key in keys:
                self.server.objects.pop(key, None)
            self._answer_xml("DeleteResult", "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys))
        elif "uploads" in self._query:
            upload = str(next(self.server.numbers))
            self.server.uploads[upload] = {}
            self._answer_xml("InitiateMultipartUploadResult", f"<UploadId>{upload}</UploadId>")
        else:
            self._complete(self.server.uploads.pop(self._query["uploadId"]))

    def do_DELETE(self) -> None:
        if upload := self._query.get("uploadId"):
            self.server.uploads.pop(upload, None)
        else:
            self.server.objects.pop(self._key, None)
        self._answer(204)

    def _put_part(self, upload: str, body: bytes) -> None:
        self.server.part_arrived.set()
        self.server.may_answer_parts.wait(30)
        parts = self.server.uploads.get(upload)
        if self.server.refuses_parts:
            self._answer(403)
        elif parts is None:  # aborted while this part was on its way
            self._answer(404)
        else:
            parts[int(self._query["partNumber"])] = body
            self._answer(200, headers={"ETag": '"tag"'})

    def _complete(self, parts: dict[int, bytes]) -> None:
        ordered = [parts[number] for number in sorted(parts)]
        if any(len(part) < _MIN_PART_BYTES for part in ordered[:-1]):
            self._answer(400, b"<Error><Code>EntityTooSmall</Code></Error>")
            return
        self.server.objects[self._key] = b"".join(ordered)
        self._answer_xml("CompleteMultipartUploadResult", "<ETag>tag</ETag>")

    def _get(self) -> None:
        data = self.server.objects.get(self._key)
        headers = {"ETag": '"tag"', "Last-Modified": _MODIFIED}
        if data is None:
            self._answer(404)
        elif (asked := self.headers.get("Range")) is None:
            self._answer(200, data, headers)
        else:
            first, last = (int(number) for number in asked.removeprefix("bytes=").split("-"))
            part = data[first : last + 1]
            if not part:
                self._answer(416)
                return
            headers["Content-Range"] = f"bytes {first}-{first + len(part) - 1}/{len(data)}"
            self._answer(206, part, headers)

    def _list(self) -> None:
        self._answer_xml(
            "ListBucketResult",
            "<IsTruncated>false</IsTruncated>"
            + "".join(
                f"<Contents><Key>{escape(key)}</Key><LastModified>2015-10-21T07:28:00.000Z</LastModified>"
                f"<ETag>tag</ETag><Size>{len(data)}</Size></Contents>"
                for key, data in self.server.objects.items()
            ),
        )

    @property
    def _key(self) -> str:
        return unquote(urlsplit(self.path).path).removeprefix("/bucket").removeprefix("/")

    @property
    def _query(self) -> dict[str, str]:
        pairs = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        return {name: values[0] for name, values in pairs.items()}

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer_xml(self, root: str, content: str) -> None:
        self._answer(200, f"<{root}>{content}</{root}>".encode())

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.server.requests.append(self.command)
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
