"""The first thing that a child executes: `python -I -m ingest_grpc.sandbox.entry MODULE-OR-FILE … LAUNCH`.

Loading what conversions need takes a second. A child whose server is killed in that second must die with it, so it
asks for that before it loads anything.
"""

import json
import runpy
import sys

from ingest_grpc.sandbox.confine.parent import die_with_parent


def child_command(target: str, *words: str) -> tuple[str, ...]:
    """The command line of a child whose entry is this module, by name, or this file; `words` are for the entry."""
    return sys.executable, "-I", "-m", "ingest_grpc.sandbox.entry", target, *words


def main() -> None:
    """Becomes the target, which finds its launch as the last argument."""
    _, target, *_words, launch = sys.argv
    die_with_parent(json.loads(launch)["parent_pid"])
    run = runpy.run_path if target.endswith(".py") else runpy.run_module
    run(target, run_name="__main__")


if __name__ == "__main__":
    main()
