"""What a run or a study does, in words."""

from tl_core.events import Activity, decoded

TITLES = {
    Activity.STARTING: "Starting Python and Keras",
    Activity.STARTING_PYTHON: "Starting Python",
    Activity.STARTING_KERAS: "Starting Keras",
    Activity.WAITING_FOR_CLUSTER: "Waiting for a machine of the cluster",
    Activity.READING_DATASET: "Reading the dataset",
    Activity.FETCHING_DATASET: "Fetching the dataset",
    Activity.LOADING_BACKBONE: "Loading the backbone",
    Activity.LOADING_MODEL: "Loading the model",
    Activity.READING_IMAGES: "Reading the images",
    Activity.WAITING_FOR_FEATURES: "Waiting for another run, which is computing the same features",
    Activity.COMPUTING_FEATURES: "Computing features",
    Activity.MEASURING_GRADIENTS: "Measuring gradients",
    Activity.TRAINING: "Training",
    Activity.TESTING: "Testing",
    Activity.STORING: "Storing the result",
    Activity.COMPARING_SPLITS: "Comparing training and test examples",
    Activity.COMPARING_TESTS: "Comparing with the run's own test examples",
    Activity.PLACING_IMAGES: "Placing the images",
    Activity.DRAWING_IMAGES: "Reading the pictures",
    Activity.COMPUTING_HEADS: "Computing heads",
    Activity.DRAWING_HEAT_MAPS: "Looking where the network sees it",
    Activity.LEAVING_OUT_WORDS: "Leaving out words",
    Activity.CONVERTING: "Converting the model",
    Activity.CHECKING_EXPORT: "Checking that it says the same",
    Activity.WAITING_AT_RUNG: "Waiting for the other runs of its group to come as far",
}


def activity_title(activity: Activity, phase: str = "") -> str:
    """Return an activity in words, with the phase that it belongs to; what is `OTHER` in the words that it came with."""
    if activity is Activity.OTHER:
        return phase
    return f"{TITLES[activity]}: {phase}" if phase else TITLES[activity]


def stage_title(stage: str, done: float = 0.0) -> str:
    """Return a stage as it is stored in words, empty for an empty one. While data are fetched, `done` (0..1) is how much of them
    is there."""
    activity, phase = decoded(stage)
    fetched = f": {100 * done:.0f} %" if activity is Activity.FETCHING_DATASET and done else ""
    return activity_title(activity, phase) + fetched
