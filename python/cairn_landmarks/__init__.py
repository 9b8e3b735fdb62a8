"""Names the landmark in a photo.

>>> import cairn_landmarks as cairn
>>> cairn.predict_landmarks("paris.jpg", 3)
['Eiffel Tower', 'Space Needle', 'Gateway Arch']

A photo is a path, the bytes of a file, a PIL image, or an array of uint8, ``[height, width, 3]`` (RGB) or ``[height, width]``.
A photo that cannot be read raises :class:`PhotoError`, whose message begins with the path.

>>> run = cairn.train("landmarks", recipe="quick", on_epoch=print)
>>> run.plot()
>>> run.model.predict_landmarks("paris.jpg")
"""

from ._data_set import demo_photos, show_batch
from ._model import Model, Suggestion, predict_landmarks, suggest_locations
from ._native import Landmark, ModelError, PhotoError, Prediction, TrainError, __version__
from ._photo import Photo
from ._picture import Picture
from ._training import Epoch, Plot, Run, plot, train

__all__ = [
    "Epoch",
    "Landmark",
    "Model",
    "ModelError",
    "Photo",
    "PhotoError",
    "Picture",
    "Plot",
    "Prediction",
    "Run",
    "Suggestion",
    "TrainError",
    "__version__",
    "demo_photos",
    "plot",
    "predict_landmarks",
    "show_batch",
    "suggest_locations",
    "train",
]
