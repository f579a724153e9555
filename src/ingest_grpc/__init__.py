"""Self-hosted document ingestion over gRPC: documents in, Markdown out, every transition streamed."""
