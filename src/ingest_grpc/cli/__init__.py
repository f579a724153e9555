"""The command line: one module per group of commands, shared parts in session, output, failures and progress.

Nothing may import from it; `ingest_grpc.cli.main:main` is the console entry point.
"""
