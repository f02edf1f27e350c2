"""Runs: where a run is kept, and what it leaves behind.

`store` is the one truth that the command line and every browser read, `worker` is the process of one run, and `artifacts` are its
files. `runner` (the room) starts and stops them.
"""
