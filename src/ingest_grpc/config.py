"""Settings: one class, every field with its unit and default; file < environment < flags.

A setting `workers` is read from the key `workers` of the TOML file, from the environment variable
INGEST_WORKERS, or from the flag that `ingest-grpc serve` builds from it. None means unset: the value is
then derived where it is used, so that file, environment and flags merge without surprises.
"""

import os
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from ingest_grpc.addresses import UNIX, split_address
from ingest_grpc.units import GIB, KIB, MIB


class WrongSetting(ValueError):
    """A setting that only its use shows to be wrong; the message names it."""


class Settings(BaseSettings):
    """Everything an operator can set. `docs/operations.md` lists the same fields, generated from here."""

    model_config = SettingsConfigDict(env_prefix="INGEST_", extra="forbid", frozen=True)

    address: str = Field("127.0.0.1:50061", description="host:port the gRPC server listens on; port 0 picks a free one")
    data_dir: Path = Field(Path("ingest-data"), description="folder of the ledger, its lock and the local blobs")
    blobs_url: str | None = Field(
        None, description="object store for file bytes (s3://, gs://, az://); unset = DATA_DIR/blobs"
    )
    insecure: bool = Field(
        False,
        description="allow to listen beyond loopback without TLS or without API keys, and to serve metrics there",
    )
    tls_certificate: Path | None = Field(None, description="PEM certificate chain of the server; unset = plaintext")
    tls_key: Path | None = Field(None, description="PEM private key that belongs to tls_certificate")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    log_json: bool = Field(False, description="log one JSON object per line instead of text")

    metrics_address: str | None = Field(
        None, description="host:port of the page that Prometheus scrapes (/metrics), loopback only; unset = none"
    )
    otlp_endpoint: str | None = Field(
        None,
        description="where metrics are pushed over OTLP, e.g. http://127.0.0.1:4318/v1/metrics; unset = nowhere; "
        "needs the extra otel",
    )
    otlp_interval_seconds: float = Field(30.0, ge=1, description="seconds between two pushes")

    workers: int | None = Field(
        None, ge=0, le=256, description="documents converted at once; 0 = none, they wait; unset = number of CPU cores"
    )
    default_method: Literal["SPEED_OPTIMIZED", "ACCURACY_OPTIMIZED"] = Field(
        "SPEED_OPTIMIZED", description="conversion method of a job that names none"
    )
    engines: dict[str, dict[str, str]] = Field(
        {},
        description="which engine converts what, where the default shall not: method to kind to engine, "
        'e.g. {"SPEED_OPTIMIZED": {"PDF": "liteparse"}}',
    )
    docling_models: Path | None = Field(
        None, description="folder with the models of docling, where the setting engines names it for PDF"
    )
    java_home: Path | None = Field(
        None,
        description="folder of the Java runtime for opendataloader, where the setting engines names it; "
        "unset = JAVA_HOME, or that of java on the PATH",
    )
    ocr_engine: Literal["auto", "tesseract", "rapidocr", "none"] = Field(
        "auto", description="what reads scans: auto takes tesseract where the system has it, else rapidocr"
    )
    ocr_languages: tuple[str, ...] = Field(
        ("eng",),
        min_length=1,
        description='JSON list of languages that OCR reads, as Tesseract names them, e.g. ["eng", "deu"]',
    )
    max_failures: int = Field(
        3, ge=1, le=100, description="attempts that may end by the record's own fault before it FAILED"
    )
    max_orphaned: int = Field(
        100, ge=1, description="attempts that may end by no fault of the record (worker lost, outage) before it FAILED"
    )
    lease_seconds: float = Field(
        60.0, gt=0, description="seconds without a sign of life after which a claim is taken back"
    )
    backoff_base_seconds: float = Field(
        2.0, gt=0, description="seconds before the first retry; doubles with each failure"
    )
    backoff_max_seconds: float = Field(300.0, gt=0, description="longest wait in seconds between two attempts")

    conversion_timeout_seconds: float = Field(900.0, gt=0, description="wall seconds a conversion may take in all")
    conversion_stall_seconds: float = Field(
        120.0, gt=0, description="wall seconds a conversion may go on without progress, such as a finished page"
    )
    conversion_cpu_seconds: float | None = Field(
        None, gt=0, description="CPU seconds a conversion may use; unset = every core for conversion_timeout_seconds"
    )
    conversion_memory_bytes: int = Field(
        2 * GIB, ge=256 * MIB, description="address space a converter child may use, in bytes"
    )
    require_sandbox: bool = Field(
        False, description="refuse to run where the kernel lacks one of the protections around converters"
    )
    max_document_bytes: int = Field(256 * MIB, ge=1, description="largest file that is converted, in bytes")
    max_output_bytes: int = Field(64 * MIB, ge=1 * KIB, description="bytes of Markdown one document may become")
    max_expanded_bytes: int = Field(
        1 * GIB, ge=1 * MIB, description="bytes that the compressed content of one document may expand to"
    )
    max_expansion_ratio: int = Field(
        100,
        ge=1,
        description="times its size a document may expand to; an eighth of max_expanded_bytes is always allowed",
    )
    max_entries: int = Field(10_000, ge=1, description="parts or members in an Office file, a mail or an archive")
    max_nesting: int = Field(
        100, ge=1, le=200, description="levels that elements, lists, tables or parts of a mail may be nested"
    )
    max_pages: int = Field(5_000, ge=1, description="pages, slides or sheets one document may have")
    max_page_points: float = Field(14_400.0, gt=0, description="largest side of a PDF page in points (1/72 inch)")
    max_image_pixels: int = Field(100_000_000, ge=1, description="pixels a picture that is read may have")
    max_archive_files: int = Field(1_000, ge=1, description="files that one archive may hold")
    max_archive_bytes: int = Field(
        4 * GIB, ge=1, description="bytes that an archive, with the archives inside it, may be unpacked to"
    )
    max_archive_nesting: int = Field(3, ge=1, le=10, description="archives that may lie inside one another")
    store_images: bool = Field(
        False, description="keep the pictures of documents as files, which the records list and the Markdown names"
    )
    max_stored_images: int = Field(200, ge=1, description="pictures that are stored of one document")
    max_stored_image_bytes: int = Field(10 * MIB, ge=1, description="bytes of a picture that is stored")
    max_stored_image_pixels: int = Field(
        25_000_000, ge=1, description="pixels of a picture in a PDF that is stored: it has to be decoded"
    )
    max_stored_images_bytes: int = Field(
        100 * MIB, ge=1, description="bytes of all pictures that are stored of one document"
    )
    max_table_cells: int = Field(5_000_000, ge=1, description="cells in the tables of one document")
    child_max_documents: int = Field(1_000, ge=1, description="documents after which a converter child is replaced")
    child_max_rss_bytes: int = Field(
        512 * MIB, ge=64 * MIB, description="resident bytes after a document above which a child is replaced"
    )

    max_file_bytes: int = Field(4 * GIB, ge=1, description="largest file that can be uploaded, in bytes")
    upload_hours: float = Field(24.0, gt=0, description="hours after its last write at which an upload is dropped")
    import_urls: tuple[str, ...] = Field(
        (), description='JSON list of URLs below which objects may be imported, e.g. ["s3://bucket/in/"]; empty = none'
    )
    import_roots: tuple[Path, ...] = Field(
        (), description="JSON list of folders below which file:// URLs may be imported; empty = none"
    )
    min_free_disk_bytes: int = Field(
        512 * MIB, ge=0, description="free bytes on the data disk below which uploads are refused"
    )
    team_max_queued: int | None = Field(
        None, ge=1, description="files one team may have in the queue; unset = no limit"
    )
    team_max_running: int | None = Field(
        None, ge=1, description="files of one team converted at once; unset = no limit"
    )
    team_max_bytes: int | None = Field(
        None, ge=1, description="bytes one team may store, unfinished uploads included; unset = no limit"
    )
    team_max_uploads: int = Field(1_000, ge=1, description="resumable uploads one team may have unfinished")
    team_calls_per_second: float | None = Field(
        None, gt=0, description="calls one team may make per second in the long run, bursts of 2 s; unset = no limit"
    )
    max_watchers: int = Field(15_000, ge=1, description="watches open at once")
    team_max_watchers: int | None = Field(
        None, ge=1, description="watches one team may have open; unset = max_watchers"
    )
    job_max_watchers: int | None = Field(None, ge=1, description="watches of one job; unset = max_watchers")
    max_records_per_job: int = Field(100_000, ge=1, description="records one job may hold")
    purge_after_days: float = Field(30.0, ge=0, description="days after which a deleted job is purged for good")
    event_retention_days: float = Field(
        30.0, ge=0, description="days that the events of a settled job are kept; milestones stay until it is purged"
    )
    output_retention_days: float | None = Field(
        None, ge=0, description="days that the outputs of settled jobs are kept; unset = as long as the job"
    )
    request_id_days: float = Field(7.0, gt=0, description="days a request_id is remembered")

    align_engine: Literal["assemble", "generate"] = Field(
        "assemble",
        description="what makes a started job's dataset: assemble (its sections as they are) "
        "or generate (questions and answers by a model)",
    )
    align_endpoint_url: str | None = Field(
        None, description="base of an OpenAI-compatible API for generate, e.g. http://127.0.0.1:8000/v1"
    )
    align_model: str | None = Field(None, description="name of the model that generate asks for")
    align_api_key: SecretStr | None = Field(None, description="key of that API; unset = none is sent")
    align_timeout_seconds: float = Field(120.0, gt=0, description="seconds one answer of the model may take")
    align_attempts: int = Field(
        5, ge=1, le=100, description="calls until the API's errors that may pass fail the alignment's attempt"
    )
    align_concurrency: int = Field(4, ge=1, le=256, description="sections that one alignment asks about at once")
    align_section_characters: int = Field(
        16_000, ge=1_000, description="longest part of a section that one question holds, in characters"
    )

    embedder: Literal["wordllama", "onnx", "endpoint"] = Field(
        "wordllama",
        description="what a knowledge base that names none is embedded by: wordllama (comes with the package), "
        "onnx (embedding_model_dir) or endpoint (embedding_endpoint_url)",
    )
    embedding_model_dir: Path | None = Field(
        None, description="folder of an ONNX model with its tokenizer.json, for embedder onnx"
    )
    embedding_endpoint_url: str | None = Field(
        None, description="base of an OpenAI-compatible API for embedder endpoint, e.g. http://127.0.0.1:8080/v1"
    )
    embedding_model: str | None = Field(None, description="name of the model that embedder endpoint asks for")
    embedding_api_key: SecretStr | None = Field(None, description="key of that API; unset = none is sent")
    embedding_dimension: int | None = Field(
        None, ge=1, le=16_384, description="numbers per vector of that model; unset = its first answer tells"
    )
    embedding_max_tokens: int = Field(512, ge=32, description="longest text that model takes, in tokens")
    embedding_tokenizer: Path | None = Field(
        None, description="tokenizer.json of that model; unset = tokens are guessed, a little too high"
    )
    embedding_query_prefix: str = Field(
        "", description='what that model wants in front of questions, e.g. "search_query: "'
    )
    embedding_passage_prefix: str = Field(
        "", description='what that model wants in front of passages, e.g. "search_document: "'
    )
    embedding_timeout_seconds: float = Field(60.0, gt=0, description="seconds one call of that API may take")
    embedding_attempts: int = Field(
        4, ge=1, le=100, description="calls until the API's errors that may pass fail the record's attempt"
    )
    embedding_call_texts: int = Field(64, ge=1, le=2_048, description="chunks that one call of that API carries")
    embedding_call_tokens: int = Field(16_384, ge=1, description="tokens that one call of that API carries")
    embedding_text_weight: float = Field(
        0.5, ge=0, le=1, description="share of the text score in hybrid search with embedders onnx and endpoint"
    )
    chunk_max_tokens: int = Field(
        400,
        ge=64,
        le=8_192,
        description="longest chunk of a knowledge base that does not say, in tokens; never more than 8,000 characters",
    )
    chunk_overlap_tokens: int = Field(
        0,
        ge=0,
        le=4_096,
        description="tokens that a chunk repeats of the one before where a knowledge base does not say",
    )
    max_source_keys: int = Field(100_000, ge=1, description="keys one data source may have")
    embedding_cache_bytes: int = Field(
        256 * MIB, ge=0, description="bytes of vectors of onnx and endpoint kept for repeated attempts"
    )

    readers: int = Field(4, ge=1, le=64, description="read-only ledger connections")
    write_queue: int = Field(
        10_000, ge=1, description="writes that may wait for the ledger before callers are told to come back"
    )
    busy_timeout_seconds: float = Field(
        10.0, gt=0, description="seconds to wait while a foreign process locks the ledger"
    )

    watch_rotate_seconds: float = Field(
        1_200.0,
        gt=0,
        description="seconds after which the server ends a watch for the client to resume; plus up to 25 %",
    )
    watch_write_timeout_seconds: float = Field(
        30.0, gt=0, description="seconds a watcher may refuse to read before it is let go"
    )
    shutdown_grace_seconds: float = Field(
        10.0, ge=0, description="seconds running calls and conversions may take to end at shutdown"
    )
    max_concurrent_rpcs: int = Field(20_000, ge=1, description="calls and streams served at once")
    max_pending_requests: int = Field(10_000, ge=1, description="new calls of one method that may wait to be accepted")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags win over the environment, which wins over the file named by INGEST_CONFIG."""
        sources: list[PydanticBaseSettingsSource] = [init_settings, env_settings]
        if config_file := os.environ.get("INGEST_CONFIG"):
            sources.append(TomlConfigSettingsSource(settings_cls, Path(config_file)))
        return tuple(sources)

    @field_validator("address", "metrics_address")
    @classmethod
    def _is_address(cls, address: str | None, field: ValidationInfo) -> str | None:
        if address is not None and not (field.field_name == "address" and address.startswith(UNIX)):
            split_address(address)
        return address

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_capitals(cls, level: object) -> object:
        return level.upper() if isinstance(level, str) else level

    @field_validator("align_api_key", "embedding_api_key", mode="before")
    @classmethod
    def _without_its_newline(cls, key: object) -> object:
        """Keys come from mounted files, which end with one."""
        return key.strip() if isinstance(key, str) else key

    @model_validator(mode="after")
    def _certificate_has_its_key(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key must be set together")
        return self

    @model_validator(mode="after")
    def _generate_has_a_model(self) -> Self:
        if self.align_engine == "generate" and not (self.align_endpoint_url and self.align_model):
            raise ValueError("align_engine generate needs align_endpoint_url and align_model")
        return self

    @model_validator(mode="after")
    def _embedder_has_a_model(self) -> Self:
        if self.embedder == "onnx" and not self.embedding_model_dir:
            raise ValueError("embedder onnx needs embedding_model_dir")
        if self.embedder == "endpoint" and not (self.embedding_endpoint_url and self.embedding_model):
            raise ValueError("embedder endpoint needs embedding_endpoint_url and embedding_model")
        return self

    @property
    def worker_count(self) -> int:
        """Documents converted at once: as set, or one per core this process may use."""
        return len(os.sched_getaffinity(0)) if self.workers is None else self.workers

    @property
    def index_path(self) -> Path:
        return self.data_dir / "index.sqlite3"

    @property
    def ledger_path(self) -> Path:
        return self.data_dir / "ledger.sqlite3"


def load_settings(**flags: Any) -> Settings:
    """Settings from file, environment and the given flags; a flag that is None counts as not given."""
    return Settings(**{name: value for name, value in flags.items() if value is not None})
