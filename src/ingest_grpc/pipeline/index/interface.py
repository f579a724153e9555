"""What the worker and the service ask of a search index; each docstring is the contract of every backend.

The index and the ledger are two stores. A document's new version is searchable first (`swap`), then the
ledger says COMPLETED; a removal commits in the ledger first, and the index follows (`remove`). Repeating
either is harmless, so a crash between the two is repaired by doing it again. The *fence* keeps a late call
of a dead attempt from undoing a newer one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ingest_grpc.model import MetadataOp as MetadataOp
from ingest_grpc.model import SearchMode as SearchMode
from ingest_grpc.pipeline.chunk.interface import Chunk
from ingest_grpc.pipeline.embed.interface import Vector

Scalar = str | int | float | bool
"""A value of a document's metadata. A bool is no number; int and float compare as numbers."""

Fence = tuple[int, int]
"""(row id of the record, attempt): later work on a document always has a greater one."""

MAX_TOP_K = 1_000


@dataclass(frozen=True, slots=True)
class Condition:
    """One demand on a document's metadata. `values` has one element, for IN one or more.

    Values of another type than the document's do not match. NE also holds for documents without the key,
    every other operator does not.
    """

    key: str
    op: MetadataOp
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which documents count: all demands must hold, an empty one holds for all.

    `excluded_document_ids` are documents that were removed in the ledger but perhaps not here yet.
    """

    document_ids: frozenset[str] = frozenset()
    file_ids: frozenset[str] = frozenset()
    data_source_ids: frozenset[str] = frozenset()
    conditions: tuple[Condition, ...] = ()
    excluded_document_ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Query:
    """A search. `text` is what a user typed, never syntax. `vector` is needed unless the mode is TEXT.

    `text_weight` is the share of the text score in HYBRID, 0 to 1 (see `Embedder.text_weight`).
    """

    mode: SearchMode
    text: str
    top_k: int
    vector: Vector | None = None
    text_weight: float = 0.5
    filter: Filter = Filter()


@dataclass(frozen=True, slots=True)
class EmbeddedChunk:
    """A chunk and its vector; None = it could not be embedded, and only its text is found."""

    chunk: Chunk
    vector: Vector | None


@dataclass(frozen=True, slots=True)
class Document:
    """One version of a document. `document_id` is the caller's name for it in its knowledge base, the same for
    every version; the other ids and `metadata` are what this version is filtered by and told with."""

    document_id: str
    file_id: str
    record_id: str
    data_source_id: str = ""
    metadata: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk as it is searchable. `chunk_id` is document and ordinal: the same in every repetition."""

    chunk_id: str
    document: Document
    ordinal: int
    text: str
    heading_path: tuple[str, ...]
    start: int
    end: int
    tokens: int
    embedded: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """A found chunk. `score` orders the hits, greater is better, equal ones as they were indexed.

    `text_score` is BM25 relative to the best of this search (0 to 1), None where no word matched or the
    mode did not ask; `vector_score` is the cosine (-1 to 1), None likewise. In TEXT and VECTOR mode `score`
    is that one score; in HYBRID it is the weighted sum of both, each normalised to 0 to 1.
    """

    chunk: StoredChunk
    score: float
    text_score: float | None
    vector_score: float | None


@dataclass(frozen=True, slots=True)
class Counts:
    """What is searchable in a knowledge base: counted, never kept as a sum."""

    documents: int
    chunks: int
    chunks_without_vector: int


@dataclass(frozen=True, slots=True)
class DocumentState:
    """A document as the index knows it. A removed one has no chunks; its row keeps the fence."""

    document: Document
    fence: Fence
    chunks: int
    removed: bool


class UnknownKnowledgeBase(LookupError):
    """The index has no knowledge base of this key, or it was dropped. The key is `args[0]`."""


class OtherEmbedder(Exception):
    """The knowledge base exists with vectors of another embedder: a reindex needs a key of its own."""


class IndexUnavailable(Exception):
    """The index cannot be read or written at the moment (disk full, I/O error, locked): try again later.

    Nothing of a failed `swap`, `remove` or `drop` remains.
    """

    fix = "Check the permissions and the free space of the data folder, then start the server again."


class IndexUnusable(IndexUnavailable):
    """The index's file is damaged, or was made by another version: trying again is of no use."""

    fix = (
        "Stop the server, remove index.sqlite3, index.sqlite3-wal and index.sqlite3-shm from the data folder, "
        "and start it: the index is made anew from the ledger."
    )


class Index(Protocol):
    """All knowledge bases of a server, each by an opaque key of 1 to 128 characters `[A-Za-z0-9._/-]`.

    A knowledge base is one set of vectors of one embedder. To change the embedder, fill another key (for
    example "kb-…/2") while the old one serves, and drop the old one.

    Work runs off the event loop; a cancelled caller harms nothing, and its write may or may not have
    happened. Readers never wait for the writer. Every method but `open` and `close` raises
    IndexUnavailable; those with a `key` raise UnknownKnowledgeBase, unless they say otherwise.
    """

    async def open(self) -> None:
        """Readies the index, and makes it where there is none. Once, before any other method."""
        ...

    async def close(self) -> None:
        """Lets running calls end and frees threads and connections. Idempotent."""
        ...

    async def create(self, key: str, embedder_identity: str, dimension: int) -> None:
        """A knowledge base without documents. Idempotent; raises OtherEmbedder if it exists with another
        identity, UnknownKnowledgeBase if it was dropped."""
        ...

    async def swap(self, key: str, document: Document, fence: Fence, chunks: Sequence[EmbeddedChunk]) -> bool:
        """Replaces the document's searchable version by this one, in one durable transaction.

        Until then the old version is found, from then on only the new one. False, and nothing changed,
        where the document was last swapped or removed with a greater fence, or the knowledge base was
        dropped (or never made). The same call again gives the same state. Raises ValueError for a vector
        of another dimension or ordinals other than 0, 1, 2 ….
        """
        ...

    async def remove(self, key: str, document_id: str, fence: Fence) -> bool:
        """Removes the document's chunks and remembers the fence; also where there is no such document,
        so that a late swap finds nothing to do. Returns as `swap`."""
        ...

    async def update(self, key: str, document: Document) -> bool:
        """Gives the searchable version other metadata and ids, without touching its chunks; False where
        there is none."""
        ...

    async def drop(self, key: str) -> None:
        """Removes a knowledge base with all it holds; later swaps do nothing. Idempotent, also for unknown keys."""
        ...

    async def search(self, key: str, query: Query) -> list[Hit]:
        """The best `top_k` (1 to MAX_TOP_K) chunks, best first, filtered before they are ranked.

        A text without a word that can be searched matches nothing in TEXT mode, and in HYBRID leaves the
        vectors alone. Raises ValueError for a missing vector or one of another dimension.
        """
        ...

    async def chunks(self, key: str, document_id: str, after: int = -1, limit: int = 100) -> list[StoredChunk]:
        """Up to `limit` chunks of the document with ordinals greater than `after`, in order."""
        ...

    async def document(self, key: str, document_id: str) -> DocumentState | None:
        """One document, removed or not; None for one that was never here."""
        ...

    async def documents(self, key: str, after: str = "", limit: int = 1_000) -> list[DocumentState]:
        """Up to `limit` documents, removed ones too, with ids greater than `after`, in order."""
        ...

    async def counts(self, key: str) -> Counts:
        """What is searchable now."""
        ...

    async def keys(self) -> list[str]:
        """Every knowledge base that was made and not dropped, in order."""
        ...
