"""The script that goes with an export: it loads the model and predicts, with its runtime, NumPy, and what the inputs need."""

from tl_core.data.preprocessor import Preprocessor
from tl_core.exports import ExportFormat

ABOUT = "model.json"
"""What is known of the model, beside it: the same for all formats."""
TEMPLATE = '''"""Load {file} and predict. It needs: pip install {packages}"""

import json
import sys
from pathlib import Path

import numpy as np
{imports}

HERE = Path(__file__).parent
{loads}

if __name__ == "__main__":
    names = json.loads((HERE / "{about}").read_text(encoding="utf-8"))["outputs"]
{encodes}
    for name, value in zip(names, predict(inputs)[0]):
        print(f"{{value:.4f}} {{name}}")
'''


def script(part: ExportFormat, preprocessor: Preprocessor) -> str:
    """Return the script for a model in the format `part`, whose inputs `preprocessor` makes."""
    return TEMPLATE.format(
        file=part.file,
        packages=" ".join(("numpy", part.packages, *preprocessor.packages)),
        imports=part.imports,
        loads=part.loads,
        about=ABOUT,
        encodes="\n".join(f"    {line}".rstrip() for line in preprocessor.script.splitlines()),
    )
