"""The gRPC server: options, interceptors, and one thin servicer per service of the contract.

The composition root imports `server`; nothing else is for others.
"""
