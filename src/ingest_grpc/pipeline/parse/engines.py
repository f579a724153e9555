"""Names and versions of what converts documents. Light: reads the installed packages' metadata, imports none."""

import platform
from functools import cache
from importlib.metadata import version

XBERG = "xberg"
STDLIB = "python"
CHARSET_NORMALIZER = "charset-normalizer"
PDFIUM = "pypdfium2"


@cache
def engines() -> dict[str, str]:
    """Name → version of every engine of this installation."""
    return {
        XBERG: version(XBERG),
        PDFIUM: version(PDFIUM),
        CHARSET_NORMALIZER: version(CHARSET_NORMALIZER),
        STDLIB: platform.python_version(),
    }
