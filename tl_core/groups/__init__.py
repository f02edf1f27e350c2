"""Groups: a question about several settings at once, as a value, as a file, and as the runs that answer it."""
