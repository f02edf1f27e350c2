"""A comparison as people read it: its sentences and figures, which pages, command line and file share, and the file itself."""
