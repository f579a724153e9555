"""The use cases of the SDK, one module per service, each written once as operations without I/O.

Only the two clients import from here; they turn each operation into a method.
"""
