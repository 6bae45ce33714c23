"""Layers, losses and initialisation in PyTorch: where layers.lua comes from.

    /usr/bin/python3 tests/golden/layers.py            writes tests/golden/layers.lua
    /usr/bin/python3 tests/golden/layers.py --check    runs again and compares

Every case is a callable in both languages, written side by side.  Inputs and parameters are not
stored: `fill` below and its twin in tests/support/layer_cases.lua make the same numbers.  Results and
gradients are float64; what is differentiated is the sum of all results with weights from `fill`.
"""
import itertools
import pathlib
import re
import sys
import warnings

import torch
from torch import nn
from torch.nn import functional as F

OUT = pathlib.Path(__file__).resolve().parent / "layers.lua"
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def numel(shape):
    n = 1
    for s in shape:
        n *= s
    return n


def fill(shape, seed, kind="x"):
    """x: -2.005 .. 1.995, never near 0; p: 0.05 .. 0.95; ids n: 0 .. n - 1."""
    n = numel(shape)
    k = [((i + 1) * 137 + (i + 1) * (i + 1) * 29 + seed * 7919) % 401 for i in range(n)]
    if kind == "x":
        values = torch.tensor([v * 0.01 - 2.005 for v in k])
    elif kind == "p":
        values = torch.tensor([0.05 + v * 0.9 / 400 for v in k])
    else:
        values = torch.tensor([v % int(kind) for v in k], dtype=torch.int64)
    return values.reshape(shape)


def numbers(t, digits=14):
    return ",".join(f"{v:.{digits}g}" for v in t.reshape(-1).tolist())


def array(t, digits=14):
    return "{{%s},{%s}}" % (",".join(map(str, t.shape)), numbers(t, digits))


def arrays(ts):
    return "{" + ",".join("false" if t is None else array(t) for t in ts) + "}"


def flat(result):
    if isinstance(result, torch.Tensor):
        return [result]
    return [x for r in result for x in flat(r)]


def row(lua, call, inputs, pair=False):
    """inputs: list of (shape, kind); only kinds x and p have gradients."""
    tensors = []
    for i, (shape, kind) in enumerate(inputs):
        x = fill(shape, i + 1, kind)
        if x.is_floating_point():
            x.requires_grad_()
        tensors.append(x)
    parameters = []
    if isinstance(call, nn.Module):
        call = call.double()
        for i, (name, p) in enumerate(call.named_parameters()):
            p.data.copy_(fill(p.shape, i + 11) * 0.4)
            parameters.append((name, p))
    args = [tensors[0], (tensors[1], tensors[2])] if pair else tensors
    out = flat(call(*args))
    total = sum((o * fill(o.shape, i + 31)).sum() for i, o in enumerate(out))
    if total.requires_grad:
        total.backward()
    text = ["{lua=[[%s]]" % lua]
    text.append("inputs={%s}" % ",".join('{{%s},"%s"}' % (",".join(map(str, s)), k) for s, k in inputs))
    if pair:
        text.append("pair=true")
    text.append("out=" + arrays(out))
    text.append("dx=" + arrays([x.grad if x.is_floating_point() else None for x in tensors]))
    if parameters:
        text.append("keys={%s}" % ",".join('"%s"' % n for n, _ in parameters))
        text.append("dp=" + arrays([p.grad if p.grad is not None else None for _, p in parameters]))
    return ",".join(text) + "}"


def lua_options(options):
    def value(v):
        return "true" if v is True else "false" if v is False else '"%s"' % v if isinstance(v, str) else repr(v)

    return "{" + ", ".join(f"{k} = {value(v)}" for k, v in options.items()) + "}"


# ---- layers --------------------------------------------------------------------------------------


def layer_rows():
    x = [((2, 3, 4), "x")]
    rows = [
        row("nn.Linear(4, 3)", nn.Linear(4, 3), [((5, 4), "x")]),
        row("nn.Linear(4, 3, {bias = false})", nn.Linear(4, 3, bias=False), x),
        row("nn.Linear(4, 1)", nn.Linear(4, 1), [((4,), "x")]),
        row("nn.Embedding(6, 3)", nn.Embedding(6, 3), [((2, 4), "6")]),
        row("nn.Embedding(6, 3, {padding_idx = 2})", nn.Embedding(6, 3, padding_idx=1), [((3, 4), "6")]),
        row("nn.Embedding(4, 2, {padding_idx = -1})", nn.Embedding(4, 2, padding_idx=-1), [((7,), "4")]),
        row("nn.Embedding(4, 2)", nn.Embedding(4, 2), [((), "4")]),
        row("nn.LayerNorm(4)", nn.LayerNorm(4), x),
        row("nn.LayerNorm({3, 4}, {eps = 0.1})", nn.LayerNorm((3, 4), eps=0.1), x),
        row("nn.LayerNorm({2, 3, 4})", nn.LayerNorm((2, 3, 4)), x),
        row("nn.LayerNorm(4, {elementwise_affine = false})", nn.LayerNorm(4, elementwise_affine=False), x),
        row("nn.Identity(3)", nn.Identity(3), x),
        row("nn.Dropout(0.3):eval()", nn.Dropout(0.3).eval(), x),
        row("nn.Dropout(0)", nn.Dropout(0.0), x),
        row("nn.Flatten()", nn.Flatten(), x),
        row("nn.Flatten(1, 2)", nn.Flatten(0, 1), x),
        row("nn.Flatten(1)", nn.Flatten(0), x),
        row("nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.LayerNorm(3), nn.Linear(3, 2))",
            nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.LayerNorm(3), nn.Linear(3, 2)), x),
        row("nn.Sequential(nn.Embedding(5, 3), nn.Sequential(nn.Linear(3, 3, {bias = false}), nn.ReLU()))",
            nn.Sequential(nn.Embedding(5, 3), nn.Sequential(nn.Linear(3, 3, bias=False), nn.ReLU())),
            [((2, 3), "5")]),
    ]
    activations = [
        ("Sigmoid()", nn.Sigmoid()), ("Tanh()", nn.Tanh()), ("ReLU()", nn.ReLU()), ("GELU()", nn.GELU()),
        ('GELU("tanh")', nn.GELU("tanh")), ("SiLU()", nn.SiLU()), ("Softplus()", nn.Softplus()),
        ("Softplus(2)", nn.Softplus(2)), ("Softplus(3, 1.5)", nn.Softplus(3, 1.5)),
        ("LogSigmoid()", nn.LogSigmoid()), ("Softmax(-1)", nn.Softmax(-1)), ("Softmax(1)", nn.Softmax(0)),
        ("LogSoftmax(-1)", nn.LogSoftmax(-1)), ("LogSoftmax(2)", nn.LogSoftmax(1)),
        ("LeakyReLU()", nn.LeakyReLU()), ("LeakyReLU(0.2)", nn.LeakyReLU(0.2)), ("ELU()", nn.ELU()),
        ("ELU(0.5)", nn.ELU(0.5)),
    ]
    rows += [row("nn." + lua, call, x) for lua, call in activations]
    rows += [
        row("function(x) return F.softplus(x * 20) end", lambda x: F.softplus(x * 20), x),
        row("function(x) return F.elu(x * 500) end", lambda x: F.elu(x * 500), x),
        row("function(x) return F.logsigmoid(x * 500) end", lambda x: F.logsigmoid(x * 500), x),
        row("function(x) return F.log_softmax(x * 900, -1) end", lambda x: F.log_softmax(x * 900, -1), x),
        row("function(x, w) return F.linear(x, w) end", F.linear, [((3, 2), "x"), ((4, 2), "x")]),
        row("function(x, w, b) return F.linear(x, w, b) end", F.linear,
            [((3, 2), "x"), ((4, 2), "x"), ((4,), "x")]),
        row("function(ids, w) return F.embedding(ids, w) end", F.embedding, [((2, 3), "4"), ((4, 2), "x")]),
        row("function(ids, w) return F.embedding(ids, w, {padding_idx = 3}) end",
            lambda i, w: F.embedding(i, w, padding_idx=2), [((2, 3), "4"), ((4, 2), "x")]),
        row("function(x, w, b) return F.layer_norm(x, {4}, w, b, 0.01) end",
            lambda x, w, b: F.layer_norm(x, (4,), w, b, 0.01), x + [((4,), "x"), ((4,), "x")]),
        row("function(x) return F.layer_norm(x, {3, 4}) end", lambda x: F.layer_norm(x, (3, 4)), x),
        row("function(ids) return F.one_hot(ids, 6):to(dtype) end", lambda i: F.one_hot(i, 6).double(),
            [((2, 4), "6")]),
        row("function(x) return F.pad(x, {1, 2}) end", lambda x: F.pad(x, (1, 2)), x),
        row('function(x) return F.pad(x, {1, 0, 2, 3}, "constant", 1.5) end',
            lambda x: F.pad(x, (1, 0, 2, 3), "constant", 1.5), x),
        row("function(x) return F.pad(x, {-1, -1, 0, -1, 1, 1}) end", lambda x: F.pad(x, (-1, -1, 0, -1, 1, 1)), x),
        row("function(x) return F.pad(x, {-1, 2}, {value = 7}) end", lambda x: F.pad(x, (-1, 2), value=7), x),
        row("function(x) return F.dropout(x, 0.5, false) end", lambda x: F.dropout(x, 0.5, False), x),
        row("function(x) return F.dropout(x, 1) end", lambda x: F.dropout(x, 1.0), x),
        row("function(a, b) return nn.utils.rnn.pad_sequence({a, b}) end",
            lambda a, b: nn.utils.rnn.pad_sequence([a, b]), [((3, 2), "x"), ((4, 2), "x")]),
        row("function(a, b) return nn.utils.rnn.pad_sequence({a, b}, {batch_first = true, padding_value = -1}) end",
            lambda a, b: nn.utils.rnn.pad_sequence([a, b], True, -1), [((3,), "x"), ((1,), "x")]),
        row("function(a, b) return nn.utils.parameters_to_vector({a, b}) end",
            lambda a, b: nn.utils.parameters_to_vector([a, b]), [((3, 2), "x"), ((2,), "x")]),
    ]
    return rows


# ---- recurrent layers ------------------------------------------------------------------------------


class Packed(nn.Module):
    """A recurrent layer over padded rows with lengths."""

    def __init__(self, rnn, lengths):
        super().__init__()
        self.rnn, self.lengths = rnn, torch.tensor(lengths)

    def named_parameters(self, *args, **kwargs):
        return self.rnn.named_parameters()

    def forward(self, x, state=None):
        steps = x.shape[1 if self.rnn.batch_first else 0]
        packed = nn.utils.rnn.pack_padded_sequence(x, self.lengths, self.rnn.batch_first, enforce_sorted=False)
        out, state = self.rnn(packed, state)
        return nn.utils.rnn.pad_packed_sequence(out, self.rnn.batch_first, total_length=steps)[0], state


def recurrent_rows():
    rows = []
    combinations = [
        ({}, False), ({}, True), ({"bias": False}, True), ({"batch_first": True}, True),
        ({"num_layers": 2}, True), ({"bidirectional": True}, True),
        ({"num_layers": 2, "bidirectional": True, "batch_first": True}, True), ({"unbatched": True}, True),
        ({"unbatched": True, "bidirectional": True}, False), ({"lengths": [2, 3, 1]}, True),
        ({"lengths": [1, 3, 2], "bidirectional": True, "batch_first": True}, True),
    ]
    for name, (options, with_state) in itertools.product(["RNN", "LSTM", "GRU"], combinations):
        rows.append(recurrent_row(name, dict(options), with_state))
    rows.append(recurrent_row("RNN", {"nonlinearity": "relu", "bias": True}, True))
    rows.append(recurrent_row("RNN", {"nonlinearity": "relu", "num_layers": 2}, False))
    for name, state in itertools.product(["RNN", "LSTM", "GRU"], [0, 1]):
        pair = name == "LSTM" and state == 1
        inputs = [((2, 3), "x")] + [((2, 2), "x")] * (state * (2 if pair else 1))
        rows.append(row(f"nn.{name}Cell(3, 2)", getattr(nn, name + "Cell")(3, 2), inputs, pair))
        inputs = [((3,), "x")] + [((2,), "x")] * (state * (2 if pair else 1))
        rows.append(row(f"nn.{name}Cell(3, 2, {{bias = false}})", getattr(nn, name + "Cell")(3, 2, bias=False),
                        inputs, pair))
    rows.append(row('nn.RNNCell(3, 2, {nonlinearity = "relu"})', nn.RNNCell(3, 2, nonlinearity="relu"),
                    [((2, 3), "x"), ((2, 2), "x")]))
    return rows


def recurrent_row(name, options, with_state):
    unbatched, lengths = options.pop("unbatched", False), options.pop("lengths", None)
    inputs_size, hidden, steps, batch = 2, 2, 3, 3 if lengths else 2
    module = getattr(nn, name)(inputs_size, hidden, **options)
    states = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
    x = (steps, inputs_size) if unbatched else (steps, batch, inputs_size)
    if options.get("batch_first"):
        x = (batch, steps, inputs_size)
    h = (states, hidden) if unbatched else (states, batch, hidden)
    pair = name == "LSTM" and with_state
    inputs = [(x, "x")] + ([(h, "x")] * (2 if pair else 1) if with_state else [])
    lua = f"nn.{name}({inputs_size}, {hidden}, {lua_options(options)})"
    text = row(lua, Packed(module, lengths) if lengths else module, inputs, pair)
    if lengths:
        text = text[:-1] + ",lengths={%s}}" % ",".join(map(str, lengths))
    return text


# ---- losses --------------------------------------------------------------------------------------------


def loss_rows():
    rows = []
    reductions = ["mean", "sum", "none"]
    logits = {(4, 3): (4,), (3,): (), (2, 3, 2): (2, 2), (2, 3, 2, 2): (2, 2, 2)}

    def add(lua, torch_class, options, inputs, buffers={}):
        lua_text = ", ".join(
            [f"{k} = " + ('"%s"' % v if isinstance(v, str) else str(v).lower()) for k, v in options.items()]
            + [f"{k} = gru.tensor({{{numbers(v)}}}, {{dtype = dtype}})" for k, v in buffers.items()])
        torch_options = {k: v - 1 if k == "ignore_index" and v > 0 else v for k, v in options.items()}
        rows.append(row(f"nn.{lua}({{{lua_text}}})", torch_class(**torch_options, **buffers), inputs))

    w = torch.tensor([0.2, 0.7, 1.6])
    for reduction in reductions:
        for options, buffers in [({}, {}), ({}, {"weight": w}), ({"label_smoothing": 0.1}, {}),
                                 ({"label_smoothing": 0.3}, {"weight": w}), ({"ignore_index": 2}, {}),
                                 ({"ignore_index": 2, "label_smoothing": 0.2}, {"weight": w})]:
            add("CrossEntropyLoss", nn.CrossEntropyLoss, {"reduction": reduction, **options},
                [((4, 3), "x"), ((4,), "3")], buffers)
        for options, buffers in [({}, {}), ({"label_smoothing": 0.2}, {"weight": w})]:
            add("CrossEntropyLoss", nn.CrossEntropyLoss, {"reduction": reduction, **options},
                [((4, 3), "x"), ((4, 3), "p")], buffers)
        for options, buffers in [({}, {}), ({}, {"weight": w}), ({"ignore_index": 2}, {"weight": w})]:
            add("NLLLoss", nn.NLLLoss, {"reduction": reduction, **options}, [((4, 3), "x"), ((4,), "3")], buffers)
    for x, t in list(logits.items())[1:]:
        add("CrossEntropyLoss", nn.CrossEntropyLoss, {"ignore_index": 3 if len(x) > 1 else -100},
            [(x, "x"), (t, "3")], {"weight": w})
        add("CrossEntropyLoss", nn.CrossEntropyLoss, {"reduction": "none"}, [(x, "x"), (t, "3")])
        add("CrossEntropyLoss", nn.CrossEntropyLoss, {"label_smoothing": 0.1}, [(x, "x"), (x, "p")], {"weight": w})
        add("NLLLoss", nn.NLLLoss, {"reduction": "none"}, [(x, "x"), (t, "3")], {"weight": w})
        add("NLLLoss", nn.NLLLoss, {"reduction": "mean"}, [(x, "x"), (t, "3")])
    same = [((3, 2), "x"), ((3, 2), "p")]
    for reduction in reductions:
        r = {"reduction": reduction}
        add("MSELoss", nn.MSELoss, r, same)
        add("L1Loss", nn.L1Loss, r, same)
        add("SmoothL1Loss", nn.SmoothL1Loss, r, same)
        add("SmoothL1Loss", nn.SmoothL1Loss, {**r, "beta": 0.5}, same)
        add("SmoothL1Loss", nn.SmoothL1Loss, {**r, "beta": 0}, same)
        add("HuberLoss", nn.HuberLoss, r, same)
        add("HuberLoss", nn.HuberLoss, {**r, "delta": 0.6}, same)
        p = [((3, 2), "p"), ((3, 2), "p")]
        column = torch.tensor([0.4, 1.7])
        # PyTorch differentiates the target of BCELoss in newer versions only
        rows.append(row(f'function(x, y) return F.binary_cross_entropy(x, y:detach(), {{reduction = "{reduction}"}}) end',
                        lambda x, y: F.binary_cross_entropy(x, y.detach(), reduction=reduction), p))
        rows.append(row(f'function(x, y) return F.binary_cross_entropy(x, y:detach(), {{reduction = "{reduction}", '
                        'weight = gru.tensor({0.4, 1.7}, {dtype = dtype})}) end',
                        lambda x, y: F.binary_cross_entropy(x, y.detach(), column, reduction=reduction), p))
        for buffers in [{}, {"weight": column}, {"pos_weight": column}, {"weight": column, "pos_weight": column}]:
            add("BCEWithLogitsLoss", nn.BCEWithLogitsLoss, r, same, buffers)
    for reduction in reductions + ["batchmean"]:
        add("KLDivLoss", nn.KLDivLoss, {"reduction": reduction}, same)
        add("KLDivLoss", nn.KLDivLoss, {"reduction": reduction, "log_target": True}, same)
    return rows


# ---- initialisation ---------------------------------------------------------------------------------------


def init_rows():
    rows = []
    calls = [
        ("uniform_(x)", lambda x: nn.init.uniform_(x)), ("uniform_(x, -2, 3)", lambda x: nn.init.uniform_(x, -2, 3)),
        ("normal_(x)", lambda x: nn.init.normal_(x)), ("normal_(x, 1, 0.1)", lambda x: nn.init.normal_(x, 1, 0.1)),
        ("xavier_uniform_(x)", nn.init.xavier_uniform_),
        ("xavier_uniform_(x, 1.5)", lambda x: nn.init.xavier_uniform_(x, 1.5)),
        ("xavier_normal_(x)", nn.init.xavier_normal_),
        ("xavier_normal_(x, {gain = 2})", lambda x: nn.init.xavier_normal_(x, gain=2)),
        ("kaiming_uniform_(x)", nn.init.kaiming_uniform_),
        ("kaiming_uniform_(x, math.sqrt(5))", lambda x: nn.init.kaiming_uniform_(x, 5**0.5)),
        ('kaiming_uniform_(x, {mode = "fan_out", nonlinearity = "relu"})',
         lambda x: nn.init.kaiming_uniform_(x, mode="fan_out", nonlinearity="relu")),
        ("kaiming_normal_(x)", nn.init.kaiming_normal_),
        ('kaiming_normal_(x, 0.2, "fan_out")', lambda x: nn.init.kaiming_normal_(x, 0.2, "fan_out")),
        ('kaiming_normal_(x, {nonlinearity = "tanh"})', lambda x: nn.init.kaiming_normal_(x, nonlinearity="tanh")),
        ("trunc_normal_(x)", nn.init.trunc_normal_),
        ("trunc_normal_(x, 1, 0.5, 0.8, 3)", lambda x: nn.init.trunc_normal_(x, 1, 0.5, 0.8, 3)),
        ("orthogonal_(x)", nn.init.orthogonal_), ("orthogonal_(x, 1.7)", lambda x: nn.init.orthogonal_(x, 1.7)),
        ("eye_(x)", lambda x: nn.init.eye_(x) if x.dim() == 2 else None),
        ("zeros_(x)", nn.init.zeros_), ("ones_(x)", nn.init.ones_),
        ("constant_(x, 0.25)", lambda x: nn.init.constant_(x, 0.25)),
    ]
    for seed, (shape, (lua, call)) in enumerate(itertools.product([(4, 6), (6, 4), (3, 2, 4)], calls)):
        if lua == "eye_(x)" and len(shape) != 2:
            continue
        x = torch.full(shape, 9.0, dtype=torch.float32)
        torch.manual_seed(seed)
        call(x)
        rows.append('{lua=[[%s]],seed=%d,value=%s}' % (lua, seed, array(x, 9)))
    return rows


def first_weights_rows():
    rows = []
    modules = [
        ("nn.Linear(3, 2)", lambda: nn.Linear(3, 2)), ("nn.Linear(5, 4)", lambda: nn.Linear(5, 4)),
        ("nn.Embedding(5, 4)", lambda: nn.Embedding(5, 4)), ("nn.LayerNorm(3)", lambda: nn.LayerNorm(3)),
        ("nn.RNN(2, 3)", lambda: nn.RNN(2, 3)), ("nn.LSTM(2, 2)", lambda: nn.LSTM(2, 2)),
        ("nn.GRU(2, 3)", lambda: nn.GRU(2, 3)),
        ("nn.GRU(2, 2, {num_layers = 2, bidirectional = true, bias = false})",
         lambda: nn.GRU(2, 2, 2, bidirectional=True, bias=False)),
        ("nn.RNNCell(2, 3)", lambda: nn.RNNCell(2, 3)), ("nn.LSTMCell(2, 2)", lambda: nn.LSTMCell(2, 2)),
        ("nn.GRUCell(2, 3)", lambda: nn.GRUCell(2, 3)),
        ("nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))",
         lambda: nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))),
    ]
    torch.set_default_dtype(torch.float32)
    for seed, (lua, make) in enumerate(modules):
        torch.manual_seed(seed)
        values = [(n, array(p.detach(), 9)) for n, p in make().named_parameters()]
        rows.append("{lua=[[%s]],seed=%d,keys={%s},values={%s}}" % (
            lua, seed, ",".join('"%s"' % n for n, _ in values), ",".join(v for _, v in values)))
    torch.set_default_dtype(torch.float64)
    return rows


def text():
    groups = {"layers": layer_rows(), "recurrent": recurrent_rows(), "losses": loss_rows(),
              "init": init_rows(), "first_weights": first_weights_rows()}
    lines = ["-- Results and gradients of PyTorch's layers; made by layers.py.",
             "local nan, inf = 0 / 0, math.huge", "return {"]
    for name, rows in groups.items():
        lines.append(f"{name} = {{ -- {len(rows)} cases")
        lines += [r + "," for r in rows]
        lines.append("},")
    return "\n".join(lines + ["}"]) + "\n"


def main():
    warnings.simplefilter("ignore")  # KLDivLoss with "mean"
    made = text()
    if "--check" not in sys.argv:
        OUT.write_text(made)
        return
    kept = OUT.read_text()
    number = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
    assert number.sub("#", made) == number.sub("#", kept), "the cases differ"
    for a, b in zip(number.findall(made), number.findall(kept)):
        assert abs(float(a) - float(b)) <= 1e-6 * max(1, abs(float(b))), (a, b)
    print("layers.lua agrees with PyTorch", torch.__version__)


if __name__ == "__main__":
    main()
