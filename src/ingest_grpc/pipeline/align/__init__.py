"""Datasets of Markdown: engines that read sections and write JSON lines; they know neither store nor gRPC.
The worker imports `interface`; the composition root makes `assemble.Assembler` and `generate.Generator`."""
