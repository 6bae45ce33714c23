"""nn.GRU, forward and backward, in several sizes "hidden:steps:batch:layers": seconds a call."""
import torch
from torch import nn

from common import arguments, report, timed

CALLS = 3  # of a loop, as on the other side
args = arguments()
samples = {}
for name in args["sizes"].split(","):
    H, T, B, L = (int(word) for word in name.split(":"))
    layer, x = nn.GRU(args["inputs"], H, num_layers=L), torch.randn(T, B, args["inputs"])

    def call():
        layer.zero_grad()
        layer(x)[0].sum().backward()

    samples[name] = timed(args["samples"], CALLS, call)
report(samples)
