"""What happens to a document on its way, as pure work: bytes in, values out; knows neither store nor gRPC.
The worker's executors import from here; `parse` runs in child processes only."""
