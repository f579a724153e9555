"""Other engines with an empty task, each in a process of its own and in the environment .venv-bench.

usage: .venv-bench/bin/python tests/benchmarks/engines/NAME.py FOLDER RECORDS WORKERS

Each enqueues RECORDS tasks that do nothing and runs them with WORKERS workers, everything durable, and prints
records per second: from the first task that is enqueued to the last one that is done.
"""
