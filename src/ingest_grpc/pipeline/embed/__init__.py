"""Texts in, vectors out: the embedders this server can use, behind one interface.
The worker and the service import `interface`; the composition root asks `engines.embedders`."""
