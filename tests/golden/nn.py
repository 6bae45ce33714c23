"""Numbers of torch.nn and torch.optim: where nn.lua comes from.

    python3 tests/golden/nn.py            writes tests/golden/nn.lua
    python3 tests/golden/nn.py --check    runs again and compares

All inputs are drawn by `Draws`, which nn.lua repeats in Lua: multiples of 1/1024, which are exact
in float32 and in float64, so that one float64 result serves both.
"""
import pathlib
import re
import sys
import textwrap

import torch
from torch import nn

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "tests/golden/nn.lua"

PREAMBLE = """\
-- Numbers of torch.nn and torch.optim in float64; made by nn.py.
local nn = {}

--- Draws the inputs: `draws(seed)` is a function from a shape to an array of multiples of 1/1024
-- in -1 .. 1.
function nn.draws(seed)
  local state = seed
  return function(shape)
    local count, data = 1, {}
    for _, size in ipairs(shape) do count = count * size end
    for i = 1, count do
      state = (state * 1103515245 + 12345) % 2147483648
      data[i] = ((state >> 16) % 2048 - 1024) / 1024
    end
    return {shape = shape, data = data}
  end
end

"""


class Draws:
    """A linear congruential generator; see PREAMBLE."""

    def __init__(self, seed):
        self.state = seed

    def __call__(self, *shape):
        count = 1
        for size in shape:
            count *= size
        data = []
        for _ in range(count):
            self.state = (self.state * 1103515245 + 12345) % 2147483648
            data.append(((self.state >> 16) % 2048 - 1024) / 1024)
        return torch.tensor(data, dtype=torch.float64).reshape(shape)

    def leaf(self, *shape):
        return self(*shape).requires_grad_()


# ---- writing Lua ----------------------------------------------------------------------------


def lua(value, indent=""):
    """A value as Lua; tensors become {shape = {...}, data = {...}}."""
    if value is None:
        return "nil"
    if isinstance(value, torch.Tensor):
        numbers = [lua(v) for v in value.detach().reshape(-1).tolist()]
        shape = ", ".join(map(str, value.shape))
        return "{shape = {%s}, data = {%s}}" % (shape, ", ".join(numbers))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        if value != value:
            return "0 / 0"
        text = ("%.13f" % value).rstrip("0")
        return text + "0" if text.endswith(".") else text
    if isinstance(value, str):
        return '"%s"' % value
    if isinstance(value, dict):
        inner = indent + "  "
        rows = ["%s%s = %s,\n" % (inner, k, lua(v, inner)) for k, v in value.items() if v is not None]
        return "{\n%s%s}" % ("".join(rows), indent)
    if isinstance(value, (list, tuple)):
        if all(isinstance(v, (int, float, str)) for v in value):
            return "{%s}" % ", ".join(map(lua, value))
        inner = indent + "  "
        return "{\n%s%s}" % ("".join("%s%s,\n" % (inner, lua(v, inner)) for v in value), indent)
    return str(value)


def wrap(row):
    """A row of Lua, broken where it is long."""
    indent = " " * (len(row) - len(row.lstrip()))
    return "\n".join(textwrap.wrap(row, 100, subsequent_indent=indent + "  ", break_long_words=False))


# ---- nn.GRU ------------------------------------------------------------------------------------

# seed, input and hidden size, steps, batch (0: none), options, h_0 given?, lengths
GRU_CASES = [
    (1, 2, 3, 4, 2, {}, True, None),
    (2, 3, 2, 5, 3, {}, False, None),
    (3, 2, 3, 1, 1, {}, True, None),
    (4, 3, 3, 4, 2, {"bias": False}, True, None),
    (5, 2, 2, 4, 3, {"batch_first": True}, True, None),
    (6, 2, 3, 4, 0, {}, True, None),
    (7, 3, 2, 3, 0, {"bidirectional": True, "batch_first": True, "num_layers": 2}, False, None),
    (8, 2, 2, 4, 2, {"bidirectional": True}, True, None),
    (9, 2, 2, 4, 2, {"num_layers": 2}, True, None),
    (10, 3, 2, 3, 2, {"num_layers": 3, "bias": False}, False, None),
    (11, 2, 2, 3, 3, {"num_layers": 2, "bidirectional": True, "batch_first": True}, True, None),
    (12, 1, 2, 3, 1, {"num_layers": 3, "bidirectional": True}, True, None),
    (13, 5, 1, 7, 1, {}, True, None),
    (14, 2, 2, 4, 3, {}, True, (2, 4, 1)),
    (15, 2, 2, 4, 3, {"num_layers": 2, "bidirectional": True, "batch_first": True}, True, (3, 1, 4)),
]


def gru_case(seed, inputs, hidden, steps, batch, options, with_h0, lengths):
    """Weights in the order of registration, then x, h_0, and the weights of the two outputs."""
    draw = Draws(seed)
    rnn = nn.GRU(inputs, hidden, dtype=torch.float64, **options)
    with torch.no_grad():
        for p in rnn.parameters():
            p.copy_(draw(*p.shape))
    shape = (steps, batch, inputs) if batch else (steps, inputs)
    if batch and rnn.batch_first:
        shape = (batch, steps, inputs)
    rows = rnn.num_layers * (2 if rnn.bidirectional else 1)
    x = draw.leaf(*shape)
    h_0 = draw.leaf(*([rows, batch, hidden] if batch else [rows, hidden])) if with_h0 else None
    if lengths:
        packed = nn.utils.rnn.pack_padded_sequence(
            x, torch.tensor(lengths), batch_first=rnn.batch_first, enforce_sorted=False
        )
        output, h_n = rnn(packed, h_0)
        output, _ = nn.utils.rnn.pad_packed_sequence(output, batch_first=rnn.batch_first)
    else:
        output, h_n = rnn(x, h_0)
    loss = (output * draw(*output.shape)).sum() + (h_n * draw(*h_n.shape)).sum()
    loss.backward()
    return {
        "seed": seed,
        "input_size": inputs,
        "hidden_size": hidden,
        "options": options,
        "lengths": lengths,
        "input": list(shape),
        "h_0": list(h_0.shape) if with_h0 else None,
        "output": output,
        "h_n": h_n,
        "d_input": x.grad,
        "d_h_0": h_0.grad if with_h0 else None,
        "names": [name for name, _ in rnn.named_parameters()],
        "d_parameters": [p.grad for p in rnn.parameters()],
    }


# ---- cross_entropy ---------------------------------------------------------------------------------

# logits' shape, targets from 1 on (-100: ignored), options
LOSS_CASES = [
    ((4, 3), [1, 3, 2, 3], {}),
    ((4, 3), [1, 3, 2, 3], {"reduction": "sum"}),
    ((4, 3), [1, 3, 2, 3], {"reduction": "none"}),
    ((3,), 2, {}),
    ((3,), 2, {"label_smoothing": 0.25, "reduction": "none"}),
    ((4, 3), [2, -100, 2, -100], {}),
    ((4, 3), [2, -100, 2, -100], {"reduction": "sum", "label_smoothing": 0.5}),
    ((4, 3), [2, -100, 2, -100], {"reduction": "none", "weight": True}),
    ((4, 3), [2, 1, 3, 1], {"ignore_index": 1}),
    ((4, 3), [2, 1, 3, 1], {"ignore_index": 1, "weight": True, "label_smoothing": 0.125}),
    ((4, 3), [3, 3, 1, 2], {"weight": True}),
    ((4, 3), [3, 3, 1, 2], {"weight": True, "reduction": "sum"}),
    ((4, 3), [3, 3, 1, 2], {"weight": True, "label_smoothing": 0.25}),
    ((4, 3), [3, 3, 1, 2], {"label_smoothing": 1.0}),
    ((5, 1), [1, 1, 1, 1, 1], {"label_smoothing": 0.5}),
    ((2, 3, 2), [[1, 3], [-100, 2]], {}),
    ((2, 3, 2), [[1, 3], [-100, 2]], {"reduction": "none", "weight": True, "label_smoothing": 0.25}),
    ((2, 3, 2, 2), [[[1, 3], [1, 2]], [[3, 2], [2, 2]]], {"weight": True}),
]


def zero_based(target, ignored):
    """PyTorch's ids; `ignored`, from 1 on, goes along."""
    return torch.where(target == -100, target, target - 1), ignored - 1 if ignored else -100


def loss_case(seed, shape, target, options):
    """Logits four times the draws; then class weights, plus 1.5; then weights of the losses."""
    draw = Draws(seed)
    logits = (4 * draw(*shape)).requires_grad_()
    classes = shape[1] if len(shape) > 1 else shape[0]
    given = dict(options)
    if given.pop("weight", False):
        given["weight"] = draw(classes) + 1.5
    ids, ignored = zero_based(torch.tensor(target), given.pop("ignore_index", None))
    loss = nn.functional.cross_entropy(logits, ids, ignore_index=ignored, **given)
    (loss * draw(*loss.shape)).sum().backward()
    return {
        "seed": seed,
        "shape": list(shape),
        "target": target,
        "options": options,
        "loss": loss,
        "gradient": logits.grad,
    }


# Targets that are probabilities, (draw + 1) / 4.
SOFT_CASES = [
    ((4, 3), {}),
    ((4, 3), {"reduction": "sum", "label_smoothing": 0.25}),
    ((4, 3), {"weight": True, "label_smoothing": 0.5}),
    ((3,), {"weight": True}),
    ((2, 3, 2), {"reduction": "none", "weight": True, "label_smoothing": 0.125}),
    ((2, 3, 2), {}),
]


def soft_case(seed, shape, options):
    """As loss_case, with the targets drawn last."""
    draw = Draws(seed)
    logits = (4 * draw(*shape)).requires_grad_()
    classes = shape[1] if len(shape) > 1 else shape[0]
    given = dict(options)
    if given.pop("weight", False):
        given["weight"] = draw(classes) + 1.5
    target = ((draw(*shape) + 1) / 4).requires_grad_()
    loss = nn.functional.cross_entropy(logits, target, **given)
    (loss * draw(*loss.shape)).sum().backward()
    return {
        "seed": seed,
        "shape": list(shape),
        "options": options,
        "loss": loss,
        "gradient": logits.grad,
        "d_target": target.grad,
    }


# ---- optimisers and clipping -------------------------------------------------------------------------

OPTIM_CASES = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.05}),
    ("SGD", {"lr": 0.1, "momentum": 0.8, "dampening": 0.3}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.1, "maximize": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.5, "dampening": 0.5, "weight_decay": 0.1, "maximize": True}),
    ("Adam", {}),
    ("Adam", {"lr": 0.05, "betas": [0.5, 0.75], "eps": 0.01}),
    ("Adam", {"lr": 0.05, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.05, "betas": [0.8, 0.6], "amsgrad": True}),
    ("Adam", {"lr": 0.05, "maximize": True, "weight_decay": 0.2, "amsgrad": True}),
    ("Adam", {"lr": 0.05, "betas": [0.0, 0.0]}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.3, "amsgrad": True, "maximize": True}),
    ("RMSprop", {"lr": 0.05, "alpha": 0.6}),
    ("RMSprop", {"lr": 0.05, "alpha": 0.6, "centered": True, "momentum": 0.5, "weight_decay": 0.1, "eps": 0.01}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.5}),
    ("Adadelta", {"lr": 0.5, "rho": 0.7, "weight_decay": 0.1}),
]
STEPS = 6


def optim_case(seed, name, options):
    """Parameters (3) and (2, 2), in float64; the second has no gradient at every third step."""
    draw = Draws(seed)
    given = dict(options)
    if name == "SGD":
        given.setdefault("lr", 1e-3)
    params = [draw.leaf(3), draw.leaf(2, 2)]
    optimizer = getattr(torch.optim, name)(params, **given)
    trace = []
    for step in range(1, STEPS + 1):
        params[0].grad = draw(3)
        params[1].grad = draw(2, 2) if step % 3 != 0 else None
        optimizer.step()
        trace.append(torch.cat([p.detach().reshape(-1) for p in params]))
    return {"seed": seed, "name": name, "options": options, "trace": torch.stack(trace)}


# seed, max_norm, norm_type
CLIP_CASES = [(1, 1.0, 2.0), (2, 100.0, 2.0), (3, 0.5, 1.0), (4, 0.25, float("inf")), (5, 1.0, 3.0), (6, 2.0, 0.5)]


def clip_case(seed, max_norm, norm_type):
    draw = Draws(seed)
    params = [draw.leaf(3), draw.leaf(2, 2), draw.leaf(1)]
    for p in (params[0], params[1]):  # the third has none
        p.grad = draw(*p.shape)
    total = nn.utils.clip_grad_norm_(params, max_norm, norm_type)
    return {
        "seed": seed,
        "max_norm": max_norm,
        "norm_type": "inf" if norm_type == float("inf") else norm_type,
        "total": total,
        "gradients": [params[0].grad, params[1].grad],
    }


# ---- initial weights ------------------------------------------------------------------------------------


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(2, 3, num_layers=2, bidirectional=True)
        self.inner = nn.Module()
        self.inner.first = nn.Linear(6, 2)
        self.inner.second = nn.Linear(2, 2, bias=False)
        self.dense = nn.Linear(2, 4)
        self.register_buffer("mean", torch.zeros(2))
        self.inner.register_buffer("count", torch.zeros(()))
        self.tied = self.dense
        self.shared = self.inner.first.weight


def initial():
    torch.manual_seed(0)
    net = Net()
    return {
        "state": list(net.state_dict()),
        "parameters": [name for name, _ in net.named_parameters()],
        "sums": [p.double().sum().item() for p in net.parameters()],
        "last": [p.detach().reshape(-1)[-1].item() for p in net.parameters()],
    }


def initial_double():
    torch.manual_seed(7)
    layers = [nn.Linear(3, 2, dtype=torch.float64), nn.GRU(1, 2, dtype=torch.float64)]
    return [p for layer in layers for p in layer.parameters()]


# ---- all of it ----------------------------------------------------------------------------------------------


def sections():
    return {
        "gru": [gru_case(*case) for case in GRU_CASES],
        "cross_entropy": [loss_case(i, *case) for i, case in enumerate(LOSS_CASES, 1)],
        "soft_cross_entropy": [soft_case(i, *case) for i, case in enumerate(SOFT_CASES, 1)],
        "optim": [optim_case(i, *case) for i, case in enumerate(OPTIM_CASES, 1)],
        "clip": [clip_case(*case) for case in CLIP_CASES],
        "initial": initial(),
        "initial_double": initial_double(),
    }


NUMBER = re.compile(r"-?\d+\.?\d*(?:e[-+]?\d+)?")


def check(new):
    old = OUT.read_text()
    shape = [re.sub(r"\s", "", NUMBER.sub("#", text)) for text in (old, new)]
    assert shape[0] == shape[1], "nn.lua differs from nn.py in its structure"
    for a, b in zip(NUMBER.findall(old), NUMBER.findall(new)):
        assert abs(float(a) - float(b)) <= 1e-12 * max(1, abs(float(b))), (a, b)
    print("nn.lua agrees with PyTorch", torch.__version__)


def main():
    torch.set_num_threads(1)
    body = "".join("nn.%s = %s\n\n" % (name, lua(value)) for name, value in sections().items())
    body = "\n".join(map(wrap, body.split("\n")))
    text = PREAMBLE + body + "return nn\n"
    if "--check" in sys.argv:
        check(text)
    else:
        OUT.write_text(text)


if __name__ == "__main__":
    main()
