"""Not outliving one's parent; a module of its own because it is needed before anything else is imported."""

import os
import signal

from ingest_grpc.sandbox.confine.kernel import PR_SET_PDEATHSIG, prctl


def die_with_parent(parent_pid: int) -> None:
    """SIGKILL when the parent's thread that started this process ends."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # The parent may have died before the line above: then no signal will ever come.
    if os.getppid() != parent_pid:
        raise SystemExit("the supervisor is gone")
