"""One servicer per service: reads the request, asks the service, writes the reply.

The server registers them; nothing else imports from here.
"""
