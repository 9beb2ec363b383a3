"""A loop's first job: the first run of a graph is slow, may be the one that fails, and takes most of its memory.

Knows nothing of who waits for the loop to be warm.
"""

from __future__ import annotations

import queue

import numpy as np

from bundle.manifest import BadBundle, Bundle
from bundle.text import EOS
from service.engine.loop import Loop
from service.messages import Done, Event, Job, Options


def warm(loop: Loop, bundle: Bundle) -> None:
    """Ask a loop once.

    Raises:
        BadBundle: it does not answer.
    """
    ends = queue.SimpleQueue[Event]()
    loop.submit(tiny(bundle), ends.put)
    while True:
        try:
            if isinstance(ends.get(timeout=0.5), Done):
                return
        except queue.Empty:
            if loop.ready():
                continue  # it takes its time
        raise BadBundle(bundle.path, "does not answer a tiny request")


def tiny(bundle: Bundle) -> Job:
    """The smallest job for a bundle: one letter, or a picture that is grey all over."""
    told = bundle.manifest
    if told.image is not None:
        inputs = {"pixels": np.zeros((3, told.image.size, told.image.size), np.float32)}
    else:
        inputs = {"source": np.array([*bundle.text.ids("a"), EOS], np.int64)}
    return Job("warm-up", bundle.id, inputs, Options(beam_size=told.search.beam_size, max_length=2))
