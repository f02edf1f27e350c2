"""Why files and folders of a dataset are left out."""

from enum import StrEnum


class LeftOut(StrEnum):
    """A reason, in the words in which it is told."""

    BESIDE_CLASSES = "Files beside the class folders"
    HIDDEN = "Hidden files and folders"
    NO_IMAGE = "Class folders without an image"
    LINKED_FOLDERS = "Links to folders"
    LINKS_OUT = "Links that lead out of the dataset or nowhere"
    BESIDE_SPLITS = "Folders beside train, validation and test"
    DEVICES = "Devices and pipes"
    NO_IMAGE_NAMES = "Files that are not images by their name"
    TOO_DEEP = "Folders inside class folders"
    LINKS_TWICE = "Links to images that are here already"
