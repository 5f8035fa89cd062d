"""The pages that operators work with in a browser. A client of the public API like any other.

Consumes:  nothing
Publishes: nothing
Reads:     the public API, over HTTP, with the key of the person who has signed in
Writes:    the same
"""
