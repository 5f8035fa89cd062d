"""The rules and words of dialing: pure functions and frozen values, no I/O, no clock, no randomness."""
