"""The same linear probe with timm on torch. It imports nothing of the product, so that an interpreter of its own will do.

The network has random weights: they take the same time, and the accuracy says nothing and is not told.
"""

import importlib
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.what_if_parts.child import less, now

torch = importlib.import_module("torch")
timm = importlib.import_module("timm")
importlib.import_module("torch.utils.data")

MODEL, BATCH, STEPS = "tf_efficientnet_lite0", 32, 100


class Files:
    """The images of one split, one folder a class, as torch's data loaders want them."""

    def __init__(self, folder: Path, size: int) -> None:
        names = sorted(path.name for path in folder.iterdir())
        self._files = [(file, label) for label, name in enumerate(names) for file in sorted((folder / name).iterdir())]
        self._size = size
        self.classes = len(names)

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        file, label = self._files[index]
        with Image.open(file) as image:
            pixels = np.asarray(image.convert("RGB").resize((self._size, self._size), Image.Resampling.BICUBIC), np.float32)
        return torch.from_numpy((pixels / 127.5 - 1).transpose(2, 0, 1)), label


def versions() -> dict[str, Any]:
    """Return which torch and timm these are."""
    return {"torch": torch.__version__, "timm": timm.__version__}


def once(folder: str, size: int) -> dict[str, Any]:
    """Pass every image through the network once, and fit a logistic regression to what comes out."""
    splits = {name: Files(Path(folder, name), size) for name in ("train", "test")}
    network = _network()
    with torch.inference_mode():
        found = {name: [(network(x), y) for x, y in _loader(files)] for name, files in splits.items()}
    features = {name: torch.cat([x for x, _ in pairs]).clone() for name, pairs in found.items()}
    labels = torch.cat([y for _, y in found["train"]]).clone()
    head = _logistic(features["train"], labels, splits["train"].classes)
    return {"tested": len(head(features["test"]))}


def epoch(folder: str, size: int) -> dict[str, Any]:
    """Train a head through the frozen network for one epoch, and test once. `begin`, `epoch` and `test` are their costs."""
    moments = [now()]
    train, test = (Files(Path(folder, name), size) for name in ("train", "test"))
    network = _network()
    model = torch.nn.Sequential(torch.nn.Dropout(0.2), torch.nn.Linear(network.num_features, train.classes))
    adam, loss = torch.optim.Adam(model.parameters(), 1e-3), torch.nn.CrossEntropyLoss()
    moments.append(now())
    for x, y in _loader(train, shuffle=True):
        with torch.no_grad():
            features = network(x)
        adam.zero_grad()
        loss(model(features), y).backward()
        adam.step()
    moments.append(now())
    model.eval()
    with torch.inference_mode():
        right = sum(int((model(network(x)).argmax(1) == y).sum()) for x, y in _loader(test))
    moments.append(now())
    spans = [less(after, before) for before, after in pairwise(moments)]
    return dict(zip(("begin", "epoch", "test"), spans, strict=True)) | {"right": right}


def _network() -> Any:
    network = timm.create_model(MODEL, pretrained=False, num_classes=0).eval()
    for parameter in network.parameters():
        parameter.requires_grad = False
    return network


def _loader(files: Files, *, shuffle: bool = False) -> Any:
    return torch.utils.data.DataLoader(files, BATCH, shuffle=shuffle, num_workers=os.cpu_count() or 1)


def _logistic(features: Any, labels: Any, classes: int) -> Any:
    """Return a head computed by L-BFGS with a weak L2 penalty."""
    head = torch.nn.Linear(features.shape[1], classes)
    solver = torch.optim.LBFGS(head.parameters(), max_iter=STEPS, line_search_fn="strong_wolfe")

    def closure() -> Any:
        solver.zero_grad()
        cost = torch.nn.functional.cross_entropy(head(features), labels) + 1e-4 * (head.weight**2).sum()
        cost.backward()
        return cost

    solver.step(closure)
    return head
