"""What the product does: use cases over the ledger and the blobs, free of gRPC.

Import the service classes (JobService, FileService, …); `ledger` holds the one function that changes a status.
"""
