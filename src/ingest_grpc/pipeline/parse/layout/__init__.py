"""A page as geometry: what stands where, and what that makes of it. Pure; knows no engine and no file.
`page` holds the values, `tables` and `headings` improve on an engine's blocks, `markdown` writes them down."""
