"""Benchmarks: ours against a bare loop with the same I/O in the same run. `python -m tests.bench`; not tests.

Read docs/benchmarks.md before you quote a figure: ratios of one run are what counts.
"""
