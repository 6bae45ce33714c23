"""Numbers of torch.optim and its schedulers: where optim.lua comes from.

    python3 tests/golden/optim.py            writes tests/golden/optim.lua
    python3 tests/golden/optim.py --check    runs again and compares

Parameters and gradients are drawn as in nn.py, exact in float32 and in float64, so that one float64
result serves both.
"""
import pathlib
import re
import sys
import textwrap
import warnings

import torch
from torch.optim import lr_scheduler

sys.dont_write_bytecode = True  # of nn.py, in the source tree
from nn import Draws  # noqa: E402

OUT = pathlib.Path(__file__).resolve().parent / "optim.lua"
HEAD = "-- Numbers of torch.optim in float64; made by optim.py.\n"


def lua(value, indent=""):
    """A value as Lua, in lines of 100 columns; tensors become nested lists."""
    if isinstance(value, torch.Tensor):
        return lua([Digits(v) for v in value.tolist()] if value.dim() == 1 else list(value), indent)
    if isinstance(value, (dict, list, tuple)):
        rows = items(value, indent + "  ")
        flat = "{%s}" % ", ".join(rows)
        if "\n" not in flat and len(indent + flat) < 80:
            return flat
        if not any("{" in row for row in rows):
            inner = indent + "  "
            return "{\n%s\n%s}" % (
                textwrap.fill(", ".join(rows), 100, initial_indent=inner, subsequent_indent=inner),
                indent,
            )
        return "{\n%s%s}" % ("".join("%s  %s,\n" % (indent, row) for row in rows), indent)
    if isinstance(value, Digits):
        return ("%.13f" % value).rstrip("0") + ("0" if value == int(value) else "")
    if isinstance(value, float):
        return "%.15g" % value if value != int(value) else "%.1f" % value
    return {bool: lambda v: str(v).lower(), str: '"%s"'.__mod__}.get(type(value), str)(value)


class Digits(float):
    """An element of a tensor: 13 digits after the point are enough."""


def items(value, indent):
    if isinstance(value, dict):
        return ["%s = %s" % (k, lua(v, indent)) for k, v in value.items() if v is not None]
    return [lua(v, indent) for v in value]


# ---- optimisers -------------------------------------------------------------------------------
# Options of the optimiser; then, where there are any, those of a second group; then what the first
# group gets before a later step.

ADAM = {"lr": 0.05, "betas": [0.8, 0.9]}
RMS = {"lr": 0.05, "alpha": 0.75}
OPTIMISERS = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.2}),
    ("SGD", {"lr": 0.1, "maximize": True}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.2, "maximize": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.5}),
    ("SGD", {"lr": 0.1, "momentum": 0.5, "dampening": -0.25, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1, "maximize": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.5, "maximize": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}, {"lr": 0.01, "momentum": 0.0, "weight_decay": 0.5}),
    ("SGD", {"lr": 0.1}, {"momentum": 0.5, "nesterov": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}, None, {4: {"lr": 0.01}, 6: {"momentum": 0.5}}),
    ("SGD", {"lr": 0.1}, None, {3: {"momentum": 0.9}, 5: {"momentum": 0.0}}),
    ("SGD", {"lr": 0.0, "momentum": 0.9}),
    ("Adam", {}),
    ("Adam", ADAM),
    ("Adam", {**ADAM, "eps": 0.1}),
    ("Adam", {**ADAM, "eps": 0.0}),
    ("Adam", {**ADAM, "weight_decay": 0.3}),
    ("Adam", {**ADAM, "maximize": True}),
    ("Adam", {**ADAM, "weight_decay": 0.3, "maximize": True}),
    ("Adam", {**ADAM, "amsgrad": True}),
    ("Adam", {**ADAM, "amsgrad": True, "weight_decay": 0.3, "maximize": True, "eps": 0.01}),
    ("Adam", {"lr": 0.05, "betas": [0.0, 0.0]}),
    ("Adam", {"lr": 0.05, "betas": [0.0, 0.5], "amsgrad": True}),
    ("Adam", ADAM, {"lr": 0.5, "betas": [0.5, 0.5], "amsgrad": True, "maximize": True}),
    ("Adam", ADAM, None, {3: {"lr": 0.01}, 5: {"betas": [0.5, 0.9]}, 6: {"weight_decay": 0.5}}),
    ("AdamW", {}),
    ("AdamW", ADAM),
    ("AdamW", {**ADAM, "weight_decay": 0.0}),
    ("AdamW", {**ADAM, "weight_decay": 0.5}),
    ("AdamW", {**ADAM, "eps": 0.1}),
    ("AdamW", {**ADAM, "amsgrad": True}),
    ("AdamW", {**ADAM, "maximize": True, "weight_decay": 0.5}),
    ("AdamW", {**ADAM, "amsgrad": True, "maximize": True, "eps": 0.01}),
    ("AdamW", ADAM, {"lr": 0.5, "weight_decay": 0.0}),
    ("AdamW", ADAM, None, {4: {"lr": 0.5, "weight_decay": 0.25}}),
    ("RMSprop", {}),
    ("RMSprop", RMS),
    ("RMSprop", {**RMS, "eps": 0.1}),
    ("RMSprop", {**RMS, "weight_decay": 0.3}),
    ("RMSprop", {**RMS, "maximize": True}),
    ("RMSprop", {**RMS, "momentum": 0.9}),
    ("RMSprop", {**RMS, "centered": True}),
    ("RMSprop", {**RMS, "centered": True, "momentum": 0.5}),
    ("RMSprop", {**RMS, "centered": True, "momentum": 0.5, "weight_decay": 0.1, "maximize": True}),
    ("RMSprop", {"lr": 0.05, "alpha": 0.0}),
    ("RMSprop", RMS, {"lr": 0.5, "momentum": 0.9, "centered": True}),
    ("RMSprop", {**RMS, "momentum": 0.9}, None,
     {3: {"lr": 0.5}, 5: {"alpha": 0.5, "momentum": 0.25}}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.5}),
    ("Adagrad", {"lr": 0.5, "lr_decay": 0.5}),
    ("Adagrad", {"lr": 0.5, "initial_accumulator_value": 0.25}),
    ("Adagrad", {"lr": 0.5, "eps": 0.1}),
    ("Adagrad", {"lr": 0.5, "weight_decay": 0.3}),
    ("Adagrad", {"lr": 0.5, "maximize": True}),
    ("Adagrad", {"lr": 0.5, "lr_decay": 0.1, "initial_accumulator_value": 1.0, "weight_decay": 0.3,
                 "maximize": True, "eps": 0.01}),
    ("Adagrad", {"lr": 0.5}, {"lr": 0.1, "lr_decay": 1.0}),
    ("Adagrad", {"lr": 0.5, "lr_decay": 0.1}, None, {4: {"lr": 0.1}}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5}),
    ("Adadelta", {"rho": 0.5}),
    ("Adadelta", {"rho": 0.0}),
    ("Adadelta", {"rho": 1.0}),
    ("Adadelta", {"eps": 0.01}),
    ("Adadelta", {"eps": 0.01, "weight_decay": 0.3}),
    ("Adadelta", {"eps": 0.01, "maximize": True}),
    ("Adadelta", {"eps": 0.01, "weight_decay": 0.3, "maximize": True, "rho": 0.5, "lr": 2.0}),
    ("Adadelta", {"eps": 0.01}, {"lr": 0.25, "rho": 0.5}),
    ("Adadelta", {"eps": 0.01}, None, {3: {"lr": 0.1}, 5: {"rho": 0.25}}),
]
STEPS = 7


def optimiser(seed, name, options, second=None, changes=None):
    """Parameters (3) and (2, 2); the second has no gradient at every third step.

    The trace has, for every step, all elements of both; `state` is what the first one has in the end.
    """
    draw = Draws(seed)
    a, b = draw.leaf(3), draw.leaf(2, 2)
    given = {"lr": 1e-3, **options} if name == "SGD" else options
    groups = [{"params": [a]}, {"params": [b], **second}] if second else [a, b]
    optimizer = getattr(torch.optim, name)(groups, **given)
    trace = []
    for step in range(1, STEPS + 1):
        optimizer.param_groups[0].update((changes or {}).get(step, {}))
        a.grad = draw(3)
        b.grad = draw(2, 2) if step % 3 else None
        optimizer.step()
        trace += [p.detach().clone().reshape(-1) for p in (a, b)]
    state = {k: int(v) if k == "step" else v for k, v in optimizer.state_dict()["state"][0].items()}
    return {
        "seed": seed,
        "name": name,
        "options": options,
        "second": second,
        "changes": [changes.get(i, {}) for i in range(1, STEPS + 1)] if changes else None,
        "trace": torch.cat(trace),
        "state": state,
    }


# ---- schedulers -------------------------------------------------------------------------------
# The functions stand in lr_scheduler_spec.lua, too.

FUNCTIONS = {
    "power": lambda e: 0.9**e,
    "warm": lambda e: min(1.0, (e + 1) / 8),
    "third": lambda e: 1.0 / (1 + e // 3),
}

NOISE = [0.9, 0.8, 0.8, 0.79, 0.85, 0.7, 0.71, 0.7, 0.69995, 0.72, 0.7, 0.7, 0.5, 0.499, 0.4985,
         0.6, 0.49, 0.489, 0.488, 0.4879, 0.4879, 0.4878, 0.4878, 0.5, 0.5, 0.5, 0.1, 0.1, 0.1, 0.1]
RISE = [-v for v in NOISE]
FLAT = [1.0] * 30

# name, rates of the groups, arguments; then any of: "optimizer" (SGD), "factor_at" (an epoch at
# which the script halves the rates itself), "join_at" (an epoch at which a group joins),
# "metrics", "parts" (of a SequentialLR).
SCHEDULERS = [
    ("StepLR", [0.1], {"step_size": 10}),
    ("StepLR", [0.1, 0.5], {"step_size": 3, "gamma": 0.5}),
    ("StepLR", [0.1], {"step_size": 1, "gamma": 0.9}, {"factor_at": 10}),
    ("StepLR", [0.1], {"step_size": 4, "gamma": 0.5, "last_epoch": 6}),
    ("StepLR", [0.1], {"step_size": 4, "gamma": 0.5}, {"join_at": 9}),
    ("MultiStepLR", [0.1], {"milestones": [10, 20]}),
    ("MultiStepLR", [0.1, 1.0], {"milestones": [25, 5, 5, 12], "gamma": 0.5}),
    ("MultiStepLR", [0.1], {"milestones": [0, 1, 40], "gamma": 0.5}),
    ("MultiStepLR", [0.1], {"milestones": [8, 16], "gamma": 0.3, "last_epoch": 7}, {"factor_at": 4}),
    ("ExponentialLR", [0.1], {"gamma": 0.9}),
    ("ExponentialLR", [0.1, 0.7], {"gamma": 1.05}),
    ("ExponentialLR", [0.1], {"gamma": 0.5, "last_epoch": 3}, {"factor_at": 8}),
    ("ExponentialLR", [0.1], {"gamma": 0.8}, {"join_at": 5}),
    ("ConstantLR", [0.1], {}),
    ("ConstantLR", [0.1, 0.2], {"factor": 0.5, "total_iters": 12}),
    ("ConstantLR", [0.1], {"factor": 0.25, "total_iters": 8}, {"factor_at": 3}),
    ("ConstantLR", [0.1], {"factor": 1.0, "total_iters": 0}),
    ("LinearLR", [0.1], {}),
    ("LinearLR", [0.1, 0.2], {"start_factor": 0.1, "total_iters": 10}),
    ("LinearLR", [0.1], {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 20}),
    ("LinearLR", [0.1], {"start_factor": 0.5, "end_factor": 0.25, "total_iters": 8}, {"factor_at": 4}),
    ("LinearLR", [0.1], {"start_factor": 0.5, "total_iters": 12}, {"join_at": 6}),
    ("CosineAnnealingLR", [0.1], {"T_max": 30}),
    ("CosineAnnealingLR", [0.1, 0.3], {"T_max": 10, "eta_min": 0.01}),
    ("CosineAnnealingLR", [0.1], {"T_max": 7, "eta_min": 0.001}, {"factor_at": 5}),
    ("CosineAnnealingLR", [0.1], {"T_max": 1}),
    ("CosineAnnealingLR", [0.1], {"T_max": 12, "last_epoch": 4}),
    ("CosineAnnealingLR", [0.1], {"T_max": 20, "eta_min": 0.01}, {"join_at": 6}),
    ("LambdaLR", [0.1], {"lr_lambda": "power"}),
    ("LambdaLR", [0.1, 0.4], {"lr_lambda": "warm"}),
    ("LambdaLR", [0.1, 0.4], {"lr_lambda": ["power", "third"]}, {"factor_at": 9}),
    ("LambdaLR", [0.1], {"lr_lambda": "third", "last_epoch": 5}),
    ("LambdaLR", [0.1], {"lr_lambda": "warm"}, {"join_at": 4}),
    ("ReduceLROnPlateau", [0.1], {}, {"metrics": FLAT}),
    ("ReduceLROnPlateau", [0.1], {"patience": 2}, {"metrics": NOISE}),
    ("ReduceLROnPlateau", [0.1], {"patience": 0, "factor": 0.5, "threshold": 0.0}, {"metrics": NOISE}),
    ("ReduceLROnPlateau", [0.1], {"patience": 1, "factor": 0.5, "threshold": 0.01}, {"metrics": NOISE}),
    ("ReduceLROnPlateau", [0.1], {"patience": 1, "factor": 0.5, "threshold": 0.01,
                                  "threshold_mode": "abs"}, {"metrics": NOISE}),
    ("ReduceLROnPlateau", [0.1], {"mode": "max", "patience": 1, "factor": 0.5}, {"metrics": NOISE}),
    ("ReduceLROnPlateau", [0.1], {"mode": "max", "patience": 1, "factor": 0.5}, {"metrics": RISE}),
    ("ReduceLROnPlateau", [0.1], {"mode": "max", "patience": 1, "factor": 0.5, "threshold": 0.1,
                                  "threshold_mode": "abs"}, {"metrics": RISE}),
    ("ReduceLROnPlateau", [0.1], {"patience": 1, "factor": 0.5, "cooldown": 3}, {"metrics": FLAT}),
    ("ReduceLROnPlateau", [0.1, 1.0], {"patience": 1, "min_lr": [0.01, 0.3]}, {"metrics": FLAT}),
    ("ReduceLROnPlateau", [0.1, 1.0], {"patience": 1, "min_lr": 0.005},
     {"metrics": FLAT, "factor_at": 10}),
    ("ReduceLROnPlateau", [1e-3], {"patience": 0, "factor": 0.5, "eps": 1e-4}, {"metrics": FLAT}),
    ("OneCycleLR", [0.1], {"max_lr": 0.5, "total_steps": 31}),
    ("OneCycleLR", [0.1], {"max_lr": 0.5, "total_steps": 30}),
    ("OneCycleLR", [0.1, 0.2], {"max_lr": [0.5, 2.0], "epochs": 8, "steps_per_epoch": 4,
                                "anneal_strategy": "linear"}),
    ("OneCycleLR", [0.1], {"max_lr": 0.5, "total_steps": 40, "three_phase": True}),
    ("OneCycleLR", [0.1, 0.2], {"max_lr": 0.5, "total_steps": 35, "three_phase": True,
                                "pct_start": 0.4, "anneal_strategy": "linear", "base_momentum": [0.1, 0.5],
                                "max_momentum": [0.9, 0.99]}),
    ("OneCycleLR", [0.1], {"max_lr": 0.5, "total_steps": 31, "pct_start": 0.0}),
    ("OneCycleLR", [0.1], {"max_lr": 0.5, "total_steps": 31, "pct_start": 1.0,
                           "anneal_strategy": "linear"}),
    ("OneCycleLR", [0.1], {"max_lr": 0.5, "total_steps": 31, "div_factor": 10.0,
                           "final_div_factor": 3.0}, {"optimizer": "Adam"}),
    ("OneCycleLR", [0.1], {"max_lr": 0.5, "total_steps": 31, "cycle_momentum": False},
     {"optimizer": "Adagrad"}),
    ("OneCycleLR", [0.1], {"max_lr": 0.5, "total_steps": 31},
     {"optimizer": "RMSprop", "factor_at": 7}),
    ("SequentialLR", [0.1], {"milestones": [5]},
     {"parts": [("LinearLR", {"start_factor": 0.1}), ("CosineAnnealingLR", {"T_max": 20})]}),
    ("SequentialLR", [0.1, 0.2], {"milestones": [3, 12]},
     {"parts": [("ConstantLR", {"factor": 0.1, "total_iters": 3}), ("ExponentialLR", {"gamma": 0.9}),
                ("StepLR", {"step_size": 4, "gamma": 0.5})]}),
    ("SequentialLR", [0.1], {"milestones": [6]},
     {"parts": [("LambdaLR", {"lr_lambda": "warm"}), ("MultiStepLR", {"milestones": [5, 9]})]}),
]
EPOCHS = 30


def arguments(given):
    out = dict(given)
    if "lr_lambda" in out:
        f = out["lr_lambda"]
        out["lr_lambda"] = FUNCTIONS[f] if isinstance(f, str) else [FUNCTIONS[name] for name in f]
    return out


def momentum_of(group):
    return group["betas"][0] if "betas" in group else group.get("momentum")


def scheduler(name, rates, given, more=None):
    """The rates and momenta of every group, from epoch 0 (or the one at which it joins) on."""
    more = more or {}
    resumed = {"initial_lr": 0.25} if "last_epoch" in given else {}
    groups = [{"params": [torch.zeros(1)], "lr": lr, **resumed} for lr in rates]
    kind = more.get("optimizer", "SGD")
    optimizer = getattr(torch.optim, kind)(groups, lr=1.0)
    make = getattr(lr_scheduler, name)
    if "parts" in more:
        parts = [getattr(lr_scheduler, part)(optimizer, **arguments(a)) for part, a in more["parts"]]
        made = make(optimizer, parts, **given)
    else:
        made = make(optimizer, **arguments(given))
    out, momenta = [[] for _ in range(3)], [[] for _ in range(3)]
    for epoch in range(EPOCHS + 1):
        if epoch > 0:
            if epoch == more.get("factor_at"):
                for group in optimizer.param_groups:
                    group["lr"] *= 0.5
            if epoch == more.get("join_at"):
                optimizer.add_param_group({"params": [torch.zeros(1)], "lr": 0.75})
            optimizer.step()
            made.step(*[more["metrics"][epoch - 1]] if "metrics" in more else [])
        for i, group in enumerate(optimizer.param_groups):
            out[i].append(float(group["lr"]))
            momenta[i].append(momentum_of(group))
    cycles = name == "OneCycleLR" and momenta[0][0] is not None and given.get("cycle_momentum", True)
    return {
        "name": name,
        "groups": rates,
        "arguments": given,
        "optimizer": kind,
        "initial_lr": resumed.get("initial_lr"),
        "factor_at": more.get("factor_at"),
        "join_at": more.get("join_at"),
        "metrics": more.get("metrics"),
        "parts": [{"name": p, "arguments": a} for p, a in more["parts"]] if "parts" in more else None,
        "rates": [row for row in out if row],
        "momenta": [row for row in momenta if row] if cycles else None,
    }


# ---- all of it --------------------------------------------------------------------------------


def sections():
    return {
        "optimisers": [optimiser(i, *case) for i, case in enumerate(OPTIMISERS, 1)],
        "schedulers": [scheduler(*case) for case in SCHEDULERS],
    }


NUMBER = re.compile(r"-?\d+\.?\d*(?:e[-+]?\d+)?")


def check(new):
    old = OUT.read_text()
    outlines = [re.sub(r"\s+", "", NUMBER.sub("#", text)) for text in (old, new)]
    assert outlines[0] == outlines[1], "optim.lua differs from optim.py in its structure"
    for a, b in zip(NUMBER.findall(old), NUMBER.findall(new)):
        assert abs(float(a) - float(b)) <= 1e-12 * max(1, abs(float(b))), (a, b)
    print("optim.lua agrees with PyTorch", torch.__version__)


def main():
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # schedulers that step before their optimiser
    body = "".join("optim.%s = %s\n\n" % (name, lua(value)) for name, value in sections().items())
    text = HEAD + "local optim = {}\n\n" + body + "return optim\n"
    if "--check" in sys.argv:
        check(text)
    else:
        OUT.write_text(text)


if __name__ == "__main__":
    main()
