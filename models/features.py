"""Cached trunk features of a set of pictures: computed once, read by memory map in every epoch.

Knows nothing of captions or of nets that read them.
"""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from bundle.image import read
from models.encoders import SIZE, Trunk


@torch.no_grad()
def features(cache: Path, archive: Path, names: list[str], trunk: str, *, flipped: bool = False) -> np.ndarray:
    """Annotations (N, S, F) in fp16 of the named members of a tar file, mirrored left to right if `flipped`.

    The first call computes them (a tenth of a second a picture on one core); later calls map the file.
    """
    if not cache.exists():
        cache.parent.mkdir(parents=True, exist_ok=True)
        net = Trunk(trunk)
        part = cache.with_name(cache.name + ".part")
        shape = (len(names), *net(torch.zeros(1, 3, SIZE, SIZE)).shape[1:])
        out = np.lib.format.open_memmap(part, mode="w+", dtype=np.float16, shape=shape)
        with tarfile.open(archive) as pictures:
            for i, name in enumerate(tqdm(names, desc=cache.stem, mininterval=20)):
                member = pictures.extractfile(name)
                if member is None:
                    raise ValueError(f"{archive}: {name} is not a file")
                pixels = read(member.read()).pixels
                one = torch.from_numpy(np.ascontiguousarray(pixels[..., ::-1]) if flipped else pixels)
                out[i] = net(one[None])[0].numpy()
        out.flush()
        part.rename(cache)
    mapped: np.ndarray = np.load(cache, mmap_mode="r")
    return mapped
