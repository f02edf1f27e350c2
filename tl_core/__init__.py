"""Transfer Lab's core: which pretrained model, how much of it to retrain, what that saves, and whether it is true.

Read `training.train` first: it is the product in ten lines. Then one module each of `datasets`, `backbones` and
`strategies`, and the base class in that package's `__init__`. Then `runs`, where a run gets a process and a
place to stay, and `analysis`, which turns stored arrays into statements. `ui` and the pages only show.
"""

__version__ = "0.1.0"
