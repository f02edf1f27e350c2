"""Where the dashboard's scripts lie: app.py and the folder `pages`."""

from pathlib import Path

import tl_core

PACKAGE = Path(tl_core.__file__).parent


def script() -> Path:
    """Return the dashboard's app.py: within the package where it was installed (setup.py puts it there), beside it in a clone."""
    installed = PACKAGE / "dashboard" / "app.py"
    return installed if installed.is_file() else PACKAGE.parent / installed.name
