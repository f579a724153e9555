"""What one document may cost: built from the settings of the same names, handed to the child with each task."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from ingest_grpc.config import Settings  # a child has no use for the settings themselves


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes, points (1/72 inch), seconds, counts; each is described, and has its default, in the settings.

    Every parser checks the limits of its own format before it parses and while it does.
    """

    max_document_bytes: int
    max_output_bytes: int
    max_expanded_bytes: int
    max_expansion_ratio: int
    max_entries: int
    max_nesting: int
    max_archive_files: int
    max_archive_bytes: int
    max_pages: int
    max_page_points: float
    max_image_pixels: int
    max_stored_images: int
    max_stored_image_bytes: int
    max_stored_image_pixels: int
    max_stored_images_bytes: int
    max_table_cells: int
    conversion_timeout_seconds: float
    conversion_stall_seconds: float

    @classmethod
    def of(cls, settings: "Settings") -> Self:
        """The limits that the settings name."""
        return cls(**{field.name: getattr(settings, field.name) for field in fields(cls)})

    @classmethod
    def from_task(cls, values: Mapping[str, Any]) -> Self:
        """The limits in a task, as `to_task` gave them."""
        return cls(**values)

    def to_task(self) -> dict[str, Any]:
        """The limits as plain JSON values."""
        return asdict(self)

    @property
    def engine_seconds(self) -> float:
        """How long one call of an engine may take that shows no progress: then this process is killed."""
        return min(self.conversion_timeout_seconds, self.conversion_stall_seconds)

    @property
    def max_elements_deep(self) -> int:
        """Elements of a markup inside one another: each level of a table or a list takes up to four."""
        return 4 * self.max_nesting + 100

    def expanded_bytes_of(self, file_bytes: int) -> int:
        """How far a file of this size may expand: as its ratio allows, but a small one to an eighth of the most."""
        by_ratio = max(self.max_expansion_ratio * file_bytes, self.max_expanded_bytes // 8)
        return min(self.max_expanded_bytes, by_ratio)

    def unpacked_bytes_of(self, file_bytes: int) -> int:
        """How many bytes may come out of an archive of this size: as its ratio allows, a small one as a document."""
        return min(self.max_archive_bytes, max(self.max_expansion_ratio * file_bytes, self.max_expanded_bytes // 8))
