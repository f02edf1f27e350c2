"""Statements from stored numbers: pure functions of arrays and tables, the same on every machine."""
