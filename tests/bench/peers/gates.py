"""The functions of the gates, and exp, over a million floats: seconds an element."""
import torch

from common import arguments, report, timed

args = arguments()
n = args["elements"]
x = torch.randn(n)
report({
    name: [s / n for s in timed(args["samples"], args["count"], lambda: getattr(torch, name)(x))]
    for name in ("exp", "sigmoid", "tanh")
})
