"""The command line `dialstream`: a client of the public HTTP API like any other, and of `contact.batches` in Kafka."""

__version__ = "0.1.0"
