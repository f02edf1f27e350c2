"""The command line, one module a group of commands. It reads and writes the same store as the pages."""
