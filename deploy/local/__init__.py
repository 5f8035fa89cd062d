"""The local stack: a real Apache Kafka and a real mongod on this machine, from Python packages alone.

Everything lives under one folder (`.local/`). Servers outlive the process that started them, are found
again by their command line (there is no pid file that could go stale), and are shared by all who need them.
"""
