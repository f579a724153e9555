"""Whose turn it is."""

from ingest_grpc.store.sqlite.lines import Lines


def everything(lines: Lines[str]) -> list[str]:
    return [found[1] for _ in range(len(lines)) if (found := lines.take()) is not None]


def lines_of(*names: str) -> Lines[str]:
    lines: Lines[str] = Lines()
    for name in names:
        lines.add(name[0], name)
    return lines


def test_take__serves_all_parties_in_turn_and_each_in_its_order() -> None:
    lines = lines_of("a1", "a2", "a3", "b1", "c1", "c2")

    assert everything(lines) == ["a1", "b1", "c1", "a2", "c2", "a3"]
    assert lines.take() is None


def test_take__passes_over_who_may_not() -> None:
    lines = lines_of("a1", "b1")

    assert lines.take(lambda party: party != "a") == ("b", "b1")
    assert lines.take(lambda party: party != "a") is None
    assert len(lines) == 1


def test_put_back__first_those_who_had_no_turn_then_who_came_since_then_the_served() -> None:
    lines = lines_of("a1", "a2", "a3", "b1", "b2")
    taken = [lines.take() for _ in range(5)]
    ran, left = taken[:1], taken[1:]
    lines.add("c", "c1")
    lines.add("a", "a4")
    lines.put_back([found for found in left if found is not None], [found[0] for found in ran if found is not None])

    assert len(lines) == 6
    assert everything(lines) == ["b1", "c1", "a2", "b2", "a3", "a4"]
