"""rapidocr, for machines without Tesseract: its models come in its wheel."""

import os
from typing import Any

from ingest_grpc.pipeline.parse.ocr.interface import Picture
from ingest_grpc.pipeline.parse.ocr.paragraphs import join_lines

_PARAGRAPH_GAP = 0.8
"""Lines further apart than this part of their height begin a new paragraph."""


class RapidRecognizer:
    """Reads pages; the models are loaded when it is made, on one thread."""

    def __init__(self) -> None:
        # One thread per page, told before the libraries are loaded: pages are read in parallel instead.
        os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
        import cv2  # noqa: PLC0415 - optional, and heavy
        import numpy as np  # noqa: PLC0415
        from rapidocr import RapidOCR  # noqa: PLC0415

        cv2.setNumThreads(0)
        self._numpy = np
        # Without the classifier of upside-down lines: it loses lines of ordinary pages.
        self._engine = RapidOCR(
            params={
                "Global.use_cls": False,
                "Global.log_level": "error",
                "EngineConfig.onnxruntime.intra_op_num_threads": 1,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
        )
        # The model that reads is loaded with the first line that the other one finds: show it one.
        sample = np.full((120, 480, 3), 255, dtype=np.uint8)
        cv2.putText(sample, "sample", (40, 80), cv2.FONT_HERSHEY_SIMPLEX, 2, (0, 0, 0), 4)
        found: Any = self._engine(sample, use_cls=False)
        if found.txts is None:
            raise OSError("rapidocr does not read")

    def read(self, picture: Picture) -> str:
        """See Recognizer.read."""
        grey = self._numpy.frombuffer(picture.pixels, dtype=self._numpy.uint8)
        grey = grey.reshape(picture.height, picture.width)
        found: Any = self._engine(self._numpy.repeat(grey[:, :, None], 3, axis=2), use_cls=False)
        if found.txts is None or found.boxes is None:
            return ""
        lines: list[str] = []
        end: float | None = None
        for text, box in zip(found.txts, found.boxes, strict=True):
            top, bottom = min(point[1] for point in box), max(point[1] for point in box)
            if end is not None and top - end > _PARAGRAPH_GAP * (bottom - top):
                lines.append("")
            lines.append(text)
            end = bottom
        return join_lines(lines)
