"""Takes queued records, has them converted, and reports the outcome to the service.
Only the composition root and the api's composition import from here."""
