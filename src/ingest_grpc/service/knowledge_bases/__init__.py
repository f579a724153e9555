"""Knowledge bases: what they hold, where it comes from, how it gets into the index, and how it is found there.

Import from the modules; `app` puts them together with `services.KnowledgeServices`.
"""
