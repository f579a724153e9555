"""Translates between messages of the contract and values of the domain, one function per type.

Any module may be imported, by the API and by the client only.
"""
