"""Documents to Markdown, method speed-optimized; one module per format family, `child.py` runs them confined.
The server imports only `types` and `engines` (light); everything else belongs to the child."""
