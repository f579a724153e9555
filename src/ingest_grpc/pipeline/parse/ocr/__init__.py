"""Pages and pictures to text. `request` is what a parser asks with; `child` reads pages in confined processes of
its own, with the engine in `tesseract` or `rapid`. The server imports `tesseract_library` and `available` only."""
