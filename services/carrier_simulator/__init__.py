"""A carrier that is not there: speaks Twilio's REST API, sends signed callbacks, calls nobody.

It is judge as well as stage: it enforces the time limits it was given and keeps its own record of every
call, so that tests and `make run` can hold the engine to its limits by somebody else's count.
"""
