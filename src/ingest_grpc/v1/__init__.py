"""Generated from protos/ingest_grpc/v1 by scripts/generate; never edited.

Any *_pb2 and *_pb2_grpc module may be imported.
"""
