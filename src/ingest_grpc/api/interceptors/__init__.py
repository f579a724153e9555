"""What happens around every call, one concern per module; `api/server.py` has their order.

The server imports them, and the registry composes them once per method.
"""
