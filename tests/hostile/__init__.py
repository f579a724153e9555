"""Bad files on purpose: one module per family of formats makes them, `all_cases` lists them.
Each says which outcomes are right for it; tests and scripts feed them to children and to whole servers."""
