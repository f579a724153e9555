"""Where imported files come from: objects in other stores, and files below configured folders; read only.

Import `Origins` from `blobs.origins.origins`, and `OriginObject` from `blobs.origins.interface`.
"""
