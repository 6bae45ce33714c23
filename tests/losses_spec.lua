-- Losses: against PyTorch, at the edges, and what they say of wrong use.
local agree = require "tests.support.agree"
local golden = require "tests.golden.layers"
local gru = require "gru"
local layer_cases = require "tests.support.layer_cases"
local describe = require("tests.support.devices").describe

local nn, F = gru.nn, gru.nn.functional

local function close(want, x, tol)
  local got = type(x) == "number" and x or x:item()
  assert.is_true(math.abs(got - want) <= (tol or 1e-12) * math.max(1, math.abs(want)),
    ("%.17g, expected %.17g"):format(got, want))
end

local function is_nan(x) return x:isnan():all():item() end

local function f64(values, options)
  local t = gru.tensor(values, {dtype = "float64"})
  return options == "grad" and t:requires_grad_() or t
end

describe("losses have PyTorch's values and gradients:", function()
  for title, test in layer_cases.each(golden.losses) do it(title, test) end
end)

describe("the module and the function are the same:", function()
  local x, ids = f64 {{0.3, -1, 2}, {1.5, 0.2, -0.7}}, gru.tensor {3, 1}
  local y = f64 {{0.1, 0.7, 0.2}, {0.5, 0.3, 0.2}}
  local rows = {
    {"CrossEntropyLoss", "cross_entropy", x, ids, {label_smoothing = 0.1, reduction = "sum"}},
    {"NLLLoss", "nll_loss", x, ids, {reduction = "none"}},
    {"MSELoss", "mse_loss", x, y, {reduction = "sum"}},
    {"L1Loss", "l1_loss", x, y, {}},
    {"SmoothL1Loss", "smooth_l1_loss", x, y, {beta = 0.3}},
    {"HuberLoss", "huber_loss", x, y, {delta = 0.3}},
    {"BCELoss", "binary_cross_entropy", y, y * 0.5, {reduction = "sum"}},
    {"BCEWithLogitsLoss", "binary_cross_entropy_with_logits", x, y, {reduction = "none"}},
    {"KLDivLoss", "kl_div", x, y, {reduction = "batchmean"}},
  }
  for _, row in ipairs(rows) do
    it(row[1], function()
      local loss = nn[row[1]](row[5])
      assert.is_true(loss(row[3], row[4]):equal(F[row[2]](row[3], row[4], row[5])))
      assert.is_true(nn[row[1]]()(row[3], row[4]):equal(F[row[2]](row[3], row[4])))
      assert.equal(0, #loss:parameters())
    end)
  end
end)

describe("cross_entropy", function()
  it("has the numbers of an independent program", function()
    local logits = f64 {{1, 2, 3}, {0.5, -0.5, 0}, {2, 1, 0}}
    local ids = gru.tensor {3, 1, -100}
    close(0.54393782, F.cross_entropy(logits, ids), 1e-7)
    close(0.61893782, F.cross_entropy(logits, ids, {label_smoothing = 0.1}), 1e-7)
    close(0.48550988, F.cross_entropy(logits, ids, {weight = f64 {0.2, 0.3, 0.5}}), 1e-7)
  end)

  it("gives NaN for a mean over nothing, 0 for a sum", function()
    local x = f64({{1, 2}, {3, 4}}, "grad")
    local ids = gru.tensor {-100, -100}
    for _, f in ipairs {F.cross_entropy, F.nll_loss} do
      assert.is_true(is_nan(f(x, ids)))
      close(0, f(x, ids, {reduction = "sum"}))
      assert.same({0, 0}, f(x, ids, {reduction = "none"}):totable())
    end
  end)

  it("has the gradient (softmax - onehot) / count", function()
    local x = f64({{1, 2, 0}, {0, -1, 3}, {1, 1, 1}}, "grad")
    F.cross_entropy(x, gru.tensor {2, -100, 1}):backward()
    local want = (x:softmax(-1) - f64 {{0, 1, 0}, {0, 0, 0}, {1, 0, 0}}):detach() / 2
    want[2]:fill_(0)
    assert.is_true(agree.tensors(x.grad, want, 1e-12))
  end)

  it("overflows nowhere", function()
    for _, dtype in ipairs {"float32", "float64"} do
      local x = gru.tensor({{1e4, -1e4, 0}, {-1e30, 1e30, 0}}, {dtype = dtype}):requires_grad_()
      local loss = F.cross_entropy(x, gru.tensor {1, 2})
      loss:backward()
      close(0, loss)
      assert.is_true(x.grad:isfinite():all():item())
      close(2e4, F.cross_entropy(x, gru.tensor {2, 2}, {reduction = "sum"}))
    end
  end)

  it("is its log_softmax and nll_loss", function()
    local x, ids = gru.randn(2, 5, 3, {dtype = "float64"}), gru.tensor {{1, 5, 2}, {3, 3, 4}}
    local w = f64 {1, 2, 0.5, 0, 3}
    for _, reduction in ipairs {"mean", "sum", "none"} do
      local options = {weight = w, reduction = reduction, ignore_index = 5}
      local a = F.cross_entropy(x, ids, options)
      assert.is_true(agree.tensors(a, F.nll_loss(F.log_softmax(x, 2), ids, options), 1e-12))
    end
  end)

  it("takes probabilities that name one class as that class", function()
    local x, ids = gru.randn(4, 3, {dtype = "float64"}), gru.tensor {1, 3, 2, 1}
    local hot = F.one_hot(ids, 3):to("float64")
    for _, e in ipairs {0, 0.2} do
      for _, reduction in ipairs {"mean", "sum", "none"} do
        local options = {label_smoothing = e, reduction = reduction}
        assert.is_true(agree.tensors(F.cross_entropy(x, hot + 0, options),
          F.cross_entropy(x, ids, options), 1e-12))
      end
    end
  end)

  it("has gradients for probabilities, once and twice", function()
    local x, q = gru.randn(2, 3, {dtype = "float64"}):requires_grad_(),
      f64({{0.2, 0.3, 0.5}, {0.6, 0.1, 0.3}}, "grad")
    local function f(a, b) return F.cross_entropy(a, b, {label_smoothing = 0.1, reduction = "none"}) end
    assert(gru.autograd.gradcheck(f, {x, q}))
    assert(gru.autograd.gradgradcheck(f, {x, q}))
  end)
end)

describe("every loss has first and second derivatives:", function()
  local x = {{0.31, -1.2, 2.1}, {1.5, 0.23, -0.7}}
  local p = {{0.31, 0.24, 0.45}, {0.15, 0.23, 0.62}}
  local rows = {
    {"cross_entropy", x, gru.tensor {3, 1}, {label_smoothing = 0.1}},
    {"nll_loss", x, gru.tensor {3, 1}, {}}, {"mse_loss", x, p, {}}, {"l1_loss", x, p, {}},
    {"smooth_l1_loss", x, p, {}}, {"huber_loss", x, p, {delta = 0.5}},
    {"binary_cross_entropy", p, {{0.5, 0, 1}, {1, 0, 0.2}}, {}},
    {"binary_cross_entropy_with_logits", x, p, {pos_weight = f64 {1, 2, 3}}},
    {"kl_div", x, p, {}}, {"kl_div", x, p, {log_target = true}},
  }
  for _, row in ipairs(rows) do
    it(row[1], function()
      local inputs = {f64(row[2], "grad"), gru.is_tensor(row[3]) and row[3] or f64(row[3], "grad")}
      local function f(a, b) return F[row[1]](a, b, row[4]) end
      assert(gru.autograd.gradcheck(f, inputs))
      assert(gru.autograd.gradgradcheck(function(a, b) return f(a * a, b) end, inputs))
    end)
  end
end)

describe("at the edges", function()
  it("binary_cross_entropy is bounded by 100 and keeps a finite slope", function()
    local x = f64({0, 1, 0, 1}, "grad")
    local loss = F.binary_cross_entropy(x, f64 {1, 0, 0, 1}, {reduction = "none"})
    assert.same({100, 100, 0, 0}, loss:totable())
    loss:sum():backward()
    assert.is_true(x.grad:isfinite():all():item())
    assert.is_true(x.grad[1]:item() < -1e11 and x.grad[2]:item() > 1e11)
  end)

  it("binary_cross_entropy_with_logits is exact far out, with the right slope at 0", function()
    local x = f64({1000, -1000, 0}, "grad")
    local loss = F.binary_cross_entropy_with_logits(x, f64 {0, 1, 1}, {reduction = "none"})
    assert.is_true(agree.tensors(loss:detach(), f64 {1000, 1000, math.log(2)}, 1e-12))
    loss:sum():backward()
    assert.is_true(agree.tensors(x.grad, f64 {1, -1, -0.5}, 1e-12))
  end)

  it("kl_div takes 0 log 0 as 0, with finite gradients", function()
    local x, p = f64({-1, -2}, "grad"), f64({0, 1}, "grad")
    local loss = F.kl_div(x, p, {reduction = "sum"})
    close(2, loss)
    loss:backward()
    assert.same({0, -1}, x.grad:totable())
    assert.is_true(p.grad:isfinite():all():item())
  end)

  it("l1 and its smooth forms have slope 0 at 0", function()
    for _, f in ipairs {F.l1_loss, F.smooth_l1_loss, F.huber_loss, F.mse_loss} do
      local x = f64({0, 1}, "grad")
      f(x, f64 {0, 1}, {reduction = "sum"}):backward()
      assert.same({0, 0}, x.grad:totable())
    end
  end)

  it("smooth_l1 and huber join at beta", function()
    local x, zero = f64({0.5, -0.5}, "grad"), f64 {0, 0}
    F.smooth_l1_loss(x, zero, {beta = 0.5, reduction = "sum"}):backward()
    assert.same({1, -1}, x.grad:totable())
    close(2 * 0.5 * 0.5, F.huber_loss(x, zero, {delta = 0.5, reduction = "sum"}) * 2)
  end)

  it("NaN passes", function()
    local x = f64 {{0 / 0, 1}}
    assert.is_true(is_nan(F.cross_entropy(x, gru.tensor {1})))
    assert.is_true(is_nan(F.mse_loss(x, x)))
    assert.is_true(is_nan(F.binary_cross_entropy_with_logits(x, f64 {{1, 1}})))
  end)
end)

describe("loss modules", function()
  it("keep class weights as buffers", function()
    local loss = nn.CrossEntropyLoss{weight = gru.tensor {1.0, 2.0}}
    assert.is_true(loss:state_dict().weight:equal(gru.tensor {1.0, 2.0}))
    loss:to("float64")
    assert.equal("float64", loss.weight.dtype)
    loss(f64 {{1, 2}}, gru.tensor {1})
    local bce = nn.BCEWithLogitsLoss{pos_weight = gru.tensor {3.0}}
    assert.equal(1, #bce:buffers())
  end)

  it("print their settings", function()
    assert.equal("CrossEntropyLoss()", tostring(nn.CrossEntropyLoss()))
    assert.equal("HuberLoss(delta=0.5, reduction=sum)",
      tostring(nn.HuberLoss{reduction = "sum", delta = 0.5}))
  end)

  local x, ids = gru.zeros(2, 3), gru.tensor {1, 2}
  local bad = {
    {function() nn.MSELoss{beta = 1} end, "MSELoss: unknown option 'beta'"},
    {function() nn.MSELoss{reduction = "median"} end,
     "MSELoss: reduction must be mean, sum or none, got 'median'"},
    {function() nn.CrossEntropyLoss(gru.ones(3)) end,
     "CrossEntropyLoss: options must be a table, got a tensor"},
    {function() nn.CrossEntropyLoss{weight = {1, 2}} end,
     "CrossEntropyLoss: weight must be a tensor, got table"},
    {function() F.cross_entropy(x, ids, {label_smoothing = 2}) end,
     "cross_entropy: label_smoothing must be in 0 .. 1, got 2"},
    {function() F.cross_entropy(x, ids, {smoothing = 0.1}) end, "cross_entropy: unknown option 'smoothing'"},
    {function() F.cross_entropy(x, gru.tensor {1, 2, 3}) end,
     "cross_entropy: input [2, 3] wants class ids [2], got [3]"},
    {function() F.cross_entropy(gru.zeros(2, 5, 3), gru.ones(3, 2):long()) end,
     "cross_entropy: input [2, 5, 3] wants class ids [2, 3], got [3, 2]"},
    {function() local l = F.cross_entropy(x, gru.tensor {1, 4}) return l end, "cross_entropy: id 4"},
    {function() local l = F.cross_entropy(x, gru.tensor {0, 1}) return l end, "cross_entropy: id 0"},
    {function() local l = F.nll_loss(x, gru.tensor {1, 4}) return l end, "nll_loss: id 4"},
    {function() F.nll_loss(x, gru.tensor {1.0, 2.0}) end, "nll_loss: target must be int64 class ids"},
    {function() F.cross_entropy(x, gru.zeros(2, 3), {ignore_index = 1}) end,
     "cross_entropy: ignore_index has no meaning"},
    {function() F.cross_entropy(x) end, "cross_entropy: an input and a target tensor expected"},
    {function() F.mse_loss(x, 3) end, "mse_loss: target must be a tensor, got number"},
    {function() F.huber_loss(x, x, {delta = 0}) end, "huber_loss: delta must be positive, got 0"},
    {function() F.smooth_l1_loss(x, x, {beta = -1}) end,
     "smooth_l1_loss: beta must not be negative, got -1"},
    {function() F.binary_cross_entropy(x:cpu() + 2, x:cpu()) end,
     "binary_cross_entropy: input must be probabilities in 0 .. 1"},
    {function() F.binary_cross_entropy_with_logits(x, gru.zeros(3)) end,
     "binary_cross_entropy_with_logits: input [2, 3] and target [3] must have the same shape"},
    {function() F.mse_loss(x, x, {reduction = "batchmean"}) end, "mse_loss: reduction must be"},
  }
  for _, row in ipairs(bad) do
    it("say: " .. row[2], function()
      local ok, message = pcall(row[1])
      assert.is_false(ok)
      assert.truthy(message:find(row[2], 1, true), message)
      assert.truthy(message:find("tests/losses_spec.lua", 1, true), message)
    end)
  end
end)
