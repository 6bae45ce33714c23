"""The article's two halves in PyTorch on the bundled corpus: where article.lua comes from.

    python3 tests/golden/article.py            writes tests/golden/article.lua
    python3 tests/golden/article.py --check    runs again and compares

Perplexities of the first epochs after torch.manual_seed(0), characters numbered in order of first
appearance, reset gate before the recurrent product in the first half and after it in the second.
"""
import math
import pathlib
import re
import sys

import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "tests/golden/article.lua"
HIDDEN, STEPS, BATCH, CLIP, EPOCHS = 64, 35, 32, 1e-2, 3


def load():
    text = (ROOT / "examples/data/lyrics.txt").read_text(encoding="utf-8")
    text = re.sub("[\r\n]", " ", text)[:10000]
    ids = {}
    return torch.tensor([ids.setdefault(c, len(ids)) for c in text]), len(ids)


def batches(indices):
    columns = len(indices) // BATCH
    rows = indices[: BATCH * columns].view(BATCH, columns)
    for i in range((columns - 1) // STEPS):
        at = i * STEPS
        yield rows[:, at : at + STEPS], rows[:, at + 1 : at + STEPS + 1]


def clip(params):
    norm = math.sqrt(sum((p.grad**2).sum().item() for p in params))
    if norm > CLIP:
        for p in params:
            p.grad.mul_(CLIP / norm)


def epoch(indices, forward, params, step, state):
    total = count = 0
    for x, y in batches(indices):
        if state is not None:
            state = state.detach()
        logits, state = forward(x, state)
        loss = torch.nn.functional.cross_entropy(logits, y.t().reshape(-1))
        for p in params:
            p.grad = None
        loss.backward()
        clip(params)
        step()
        total += loss.item() * y.numel()
        count += y.numel()
    return math.exp(total / count), state


def scratch(indices, vocab):
    torch.manual_seed(0)

    def one(*shape):
        return (torch.randn(*shape) * 0.01).requires_grad_()

    def three():
        return one(vocab, HIDDEN), one(HIDDEN, HIDDEN), torch.zeros(HIDDEN, requires_grad=True)

    w_xz, w_hz, b_z = three()
    w_xr, w_hr, b_r = three()
    w_xh, w_hh, b_h = three()
    w_hq, b_q = one(HIDDEN, vocab), torch.zeros(vocab, requires_grad=True)
    params = [w_xz, w_hz, b_z, w_xr, w_hr, b_r, w_xh, w_hh, b_h, w_hq, b_q]

    def forward(x, h):
        outputs = []
        for ids in x.t():
            z = torch.sigmoid(w_xz[ids] + h @ w_hz + b_z)
            r = torch.sigmoid(w_xr[ids] + h @ w_hr + b_r)
            n = torch.tanh(w_xh[ids] + (r * h) @ w_hh + b_h)
            h = z * h + (1 - z) * n
            outputs.append(h @ w_hq + b_q)
        return torch.cat(outputs), h

    def step():
        with torch.no_grad():
            for p in params:
                p -= 1e2 * p.grad

    return [epoch(indices, forward, params, step, torch.zeros(BATCH, HIDDEN))[0] for _ in range(EPOCHS)]


def concise(indices, vocab):
    torch.manual_seed(0)
    rnn = torch.nn.GRU(vocab, HIDDEN)
    dense = torch.nn.Linear(HIDDEN, vocab)
    params = [*rnn.parameters(), *dense.parameters()]
    adam = torch.optim.Adam(params, lr=1e-2)

    def forward(x, h):
        y, h = rnn(torch.nn.functional.one_hot(x.t(), vocab).float(), h)
        return dense(y.reshape(-1, HIDDEN)), h

    state, result = None, []
    for _ in range(EPOCHS):
        perplexity, state = epoch(indices, forward, params, adam.step, state)
        result.append(perplexity)
    return result


def main():
    torch.set_num_threads(1)
    indices, vocab = load()
    numbers = {"scratch": scratch(indices, vocab), "nn": concise(indices, vocab)}
    if "--check" in sys.argv:
        kept = OUT.read_text()
        for half, values in numbers.items():
            row = re.search(half + r" = \{(.*?)\}", kept).group(1)
            for a, b in zip(values, map(float, row.split(","))):
                assert abs(a - b) < 1e-4 * b, (half, a, b)
        print("article.lua agrees with PyTorch", torch.__version__)
        return
    rows = "\n".join(
        "  %s = {%s}," % (half, ", ".join("%.6f" % v for v in values)) for half, values in numbers.items()
    )
    OUT.write_text(
        "-- Perplexities by epoch, PyTorch's; made by article.py.\n"
        "return {\n  hidden = %d, vocab = %d,\n%s\n}\n" % (HIDDEN, vocab, rows)
    )


if __name__ == "__main__":
    main()
