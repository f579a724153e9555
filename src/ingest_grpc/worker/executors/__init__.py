"""Where a conversion runs: `interface.py` says what the worker may expect, one module per place runs it.
The worker imports `Executor` and its values from `interface`; only the composition root imports `local`."""
