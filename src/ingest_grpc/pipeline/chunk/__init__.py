"""Markdown in, chunks out: passages that fit an embedder, cut where a reader would cut.
The worker imports `interface`; the composition root makes `chunker.MarkdownChunker`."""
