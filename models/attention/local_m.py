"""Local monotonic attention: step t looks at positions t - D to t + D (Luong et al. 2015, §3.2, "local-m").

Knows nothing of the nets that use it. Within the window a global variant's score decides; p_t = t is carried as a
number. Where the answer is longer than its source, the window stays at the source's last position.
"""

from __future__ import annotations

import torch
from torch import Tensor

from models.attention import Attention, Look, softmax, variant


class LocalM(Attention):
    """A window that moves on by one position a step."""

    carried = 1
    windowed = True

    def __init__(
        self, memory_width: int, query_width: int, attention_width: int, score: str = "general", reach: int = 5
    ) -> None:
        """score: the global variant used within the window; reach: D."""
        super().__init__(memory_width, query_width, attention_width)
        self.reach = reach
        self.within = variant(score)(memory_width, query_width, attention_width)

    @property
    def key_width(self) -> int | None:
        """As the variant within."""
        return self.within.key_width

    def project(self, memory: Tensor) -> Tensor:
        """As the variant within."""
        return self.within.project(memory)

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """As the variant within."""
        return self.within.score(query, keys)

    def centre(self, query: Tensor, length: Tensor, carried: Tensor) -> Tensor:
        """p_t (B, K): the step's number, at most the last of the source's `length` (B, 1) positions."""
        return torch.minimum(carried[..., 0], (length - 1).to(query.dtype))

    def favour(self, weights: Tensor, distance: Tensor) -> Tensor:
        """Weights (B, K, S) by their distance from the centre: here they are left as they are."""
        del distance
        return weights

    def look(self, query: Tensor, memory: Tensor, keys: Tensor, mask: Tensor, carried: Tensor) -> Look:
        """A softmax over the window, and nothing beyond it; where all of it is masked, over what is not."""
        place = torch.arange(mask.shape[1])
        length = (mask * (place + 1)).amax(1, keepdim=True)  # to the last position that may be seen
        centre = self.centre(query, length, carried)
        distance = place.to(query.dtype) - centre[..., None]
        near = mask[:, None] & (distance.abs() <= self.reach)
        seen = near | (mask[:, None] & ~near.any(-1, keepdim=True))
        weights = self.favour(softmax(self.score(query, keys), seen), distance)
        window = torch.stack([centre - self.reach, centre + self.reach], -1)
        return Look(self.mix(weights, memory), weights, carried + 1, window)  # the next step's number
