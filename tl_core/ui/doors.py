"""The doors: a script in `pages/` for each page, by which a server that has served nothing yet knows the page's address.

`python -m tl_core.ui.doors` writes them, after a page was added.
"""

from pathlib import Path

from tl_core.ui import steps

DOOR = '''"""The address /{path} on a server that has served no page yet: Streamlit looks here first and is sent in by app.py."""

from pathlib import Path
from runpy import run_path

run_path(str(Path(__file__).parents[1] / "app.py"))
'''


def doors() -> dict[Path, str]:
    """Return the text of each door by its file."""
    return {steps.PAGES / f"{page.path}.py": DOOR.format(path=page.path) for page in steps.pages()}


def write() -> None:
    """Write every door, and remove those of pages that are gone."""
    for left in set(steps.PAGES.glob("*.py")) - set(doors()):
        left.unlink()
    for file, text in doors().items():
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
