"""The bytes of files: a local folder or any object store behind one contract.

Import `Blobs` and its types from `blobs.interface`, and `open_blobs` from `blobs.factory`.
"""
