"""The ledger: rows and timeline events, changed together or not at all.

Import the interface (Store, Rows, Tx) from `store.interface`; only the composition root picks a backend.
"""
