"""What a supervisor tells its children."""

from ingest_grpc.sandbox.spec import Launch, Limits


def test_launch__survives_the_command_line() -> None:
    launch = Launch(7, 1234, "/tmp", None, 10, 20, 64, ("/usr/lib", "/lib"), "/data/scratch/child-1")
    assert Launch.from_json(launch.to_json()) == launch


def test_cpu_seconds__never_bite_before_the_wall_clock() -> None:
    limits = Limits(None, 1, 1, wall_seconds=10)
    assert limits.granted_cpu_seconds > limits.wall_seconds
