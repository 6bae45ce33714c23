"""One op on eight floats from Python: seconds an op."""
import torch

from common import arguments, report, timed

args = arguments()
samples, count = args["samples"], args["count"]
a, b = torch.rand(8), torch.rand(8)
w = torch.rand(8, requires_grad=True)

report({
    "add": timed(samples, count, lambda: a + b),
    "sigmoid": timed(samples, count, lambda: a.sigmoid()),
    "mul_": timed(samples, count, lambda: a.mul_(1)),
    "recorded": timed(samples, count, lambda: w + b),
    "backward": timed(samples, count // 10, lambda: (w * b).sum().backward()),
})
