"""Runs in the caller's own process, for tests that are not about processes."""

from tests.tools.immediate import immediate

__all__ = ["immediate"]
