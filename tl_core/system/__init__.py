"""Settings, files, locks and processes. Nothing here knows of learning."""
