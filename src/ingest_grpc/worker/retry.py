"""How long to wait before the next attempt."""

import random


def backoff_seconds(failures: int, base_seconds: float, max_seconds: float, rng: random.Random) -> float:
    """Doubles with each failure, from `base_seconds` to `max_seconds`, less up to half of it at random.

    The jitter keeps records that failed together from coming back together (see "Exponential Backoff And
    Jitter", AWS Architecture Blog: "equal jitter").
    """
    whole = min(max_seconds, base_seconds * 2.0 ** min(failures, 60))
    return whole * (1 - rng.random() / 2)
