"""The worker: does what works deferred, and what is done periodically."""
