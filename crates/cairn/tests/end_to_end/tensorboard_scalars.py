"""What TensorBoard finds in a run folder: for each tag a list of steps and values. Ran with tensorboard 2.21.

    python tensorboard_scalars.py RUN
"""
import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

# Nothing is dropped: an epoch that is there twice shows.
events = EventAccumulator(sys.argv[1], purge_orphaned_data=False)
events.Reload()
tags = events.Tags()["scalars"]
print(json.dumps({tag: [[scalar.step, scalar.value] for scalar in events.Scalars(tag)] for tag in tags}))
