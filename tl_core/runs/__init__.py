"""Runs: where a run is kept, how it gets a process of its own, and what it leaves behind.

`store` is the one truth that the command line and every browser read. `control` starts and stops runs,
`worker` is the process of one run, `artifacts` are its files, `telemetry` watches the machine.
"""
