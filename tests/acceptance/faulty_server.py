"""The real server with children that can be made to misbehave; takes the flags that the harness gives to `serve`."""

import argparse
import sys
from pathlib import Path

from ingest_grpc.app import serve
from ingest_grpc.config import Settings, load_settings
from ingest_grpc.sandbox.entry import child_command
from ingest_grpc.worker.executors.local import LocalExecutor

CHILD = Path(__file__).with_name("faulty_child.py")


def executor(settings: Settings) -> LocalExecutor:
    return LocalExecutor(settings, command=child_command(str(CHILD)))


def main() -> int:
    parser = argparse.ArgumentParser()
    for flag, kind in (("--address", str), ("--data-dir", Path), ("--ready-file", Path)):
        parser.add_argument(flag, type=kind, required=True)
    given = parser.parse_args()
    return serve(load_settings(address=given.address, data_dir=given.data_dir), given.ready_file, executor)


if __name__ == "__main__":
    sys.exit(main())
