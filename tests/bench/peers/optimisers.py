"""Steps of optimisers, and clipping, on the parameters of the article's second model: seconds a step."""
import torch
from torch import nn

from common import arguments, report, timed

args = arguments()
vocab, hidden = args["vocab"], args["hidden"]
params = list(nn.GRU(vocab, hidden).parameters()) + list(nn.Linear(hidden, vocab).parameters())
for p in params:
    p.grad = torch.randn(p.shape) * 0.01
adam, sgd = torch.optim.Adam(params, lr=1e-5), torch.optim.SGD(params, lr=1e-5)
samples, count = args["samples"], args["count"]
report({
    "adam": timed(samples, count, adam.step),
    "sgd": timed(samples, count, sgd.step),
    "clip": timed(samples, count, lambda: nn.utils.clip_grad_norm_(params, 0.01)),
})
