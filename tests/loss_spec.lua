-- cross_entropy and nn.CrossEntropyLoss: golden numbers, PyTorch's results, gradients against
-- differences, errors.
local gru = require "gru"
local agree = require "tests.support.agree"
local expect = require "tests.support.expect"
local gradcheck = require "tests.support.gradcheck"
local nd = require "tests.support.nd"
local new_rng = require "tests.support.rng"
local golden = dofile "tests/golden/nn.lua"
local describe = require("tests.support.devices").describe

local nn, F = gru.nn, gru.nn.functional

local same, raises = expect.values, expect.raises

local function scaled(a, factor, plus)
  return nd.map(function(v) return v * factor + plus end, a)
end

-- "none" for {}, "reduction=sum weight=true" ...
local function title(options)
  local parts = {}
  for key, value in pairs(options) do parts[#parts + 1] = key .. "=" .. tostring(value) end
  table.sort(parts)
  return #parts == 0 and "defaults" or table.concat(parts, " ")
end

-- ---- golden numbers -----------------------------------------------------------------------------

describe("cross_entropy, the golden example", function()
  local logits = {{1, 2, 3}, {.5, -.5, 0}, {2, 1, 0}}
  local targets = gru.tensor {3, 1, -100}

  for _, case in ipairs {
    {{}, .54393782}, {{label_smoothing = .1}, .61893782}, {{weight = {.2, .3, .5}}, .48550988},
  } do
    it(title(case[1]), function()
      for dtype, tol in pairs {float32 = 1e-6, float64 = 6e-9} do
        local options = {label_smoothing = case[1].label_smoothing}
        options.weight = case[1].weight and gru.tensor(case[1].weight, {dtype = dtype})
        local x = gru.tensor(logits, {dtype = dtype})
        assert.near(case[2], F.cross_entropy(x, targets, options):item(), tol)
        assert.near(case[2], nn.CrossEntropyLoss(options)(x, targets):item(), tol)
      end
    end)
  end
end)

-- ---- PyTorch ------------------------------------------------------------------------------------

describe("cross_entropy agrees with PyTorch:", function()
  local function read(case, dtype)
    local draw, options = golden.draws(case.seed), {}
    local x = nd.tensor(scaled(draw(case.shape), 4, 0), dtype):requires_grad_()
    for key, value in pairs(case.options) do options[key] = value end
    if options.weight then
      options.weight = nd.tensor(scaled(draw {case.shape[2] or case.shape[1]}, 1, 1.5), dtype)
    end
    return x, options, draw
  end

  local function check(case, dtype, x, loss, draw)
    same(loss, case.loss, agree.forward[dtype])
    assert.equal(dtype, loss.dtype)
    local weighted = (loss * nd.tensor(draw(loss.shape), dtype)):sum()
    weighted:backward()
    same(x.grad, case.gradient, agree.backward[dtype])
  end

  for i, case in ipairs(golden.cross_entropy) do
    it(("%d. (%s) %s"):format(i, table.concat(case.shape, ", "), title(case.options)), function()
      for _, dtype in ipairs {"float64", "float32"} do
        local x, options, draw = read(case, dtype)
        check(case, dtype, x, F.cross_entropy(x, gru.tensor(case.target), options), draw)
        x.grad = nil
        _, _, draw = read(case, dtype)
        check(case, dtype, x, nn.CrossEntropyLoss(options)(x, gru.tensor(case.target)), draw)
      end
    end)
  end

  for i, case in ipairs(golden.soft_cross_entropy) do
    it(("probabilities, %d. (%s) %s"):format(i, table.concat(case.shape, ", "), title(case.options)),
      function()
        for _, dtype in ipairs {"float64", "float32"} do
          local x, options, draw = read(case, dtype)
          local target = nd.tensor(scaled(draw(case.shape), 0.25, 0.25), dtype):requires_grad_()
          check(case, dtype, x, F.cross_entropy(x, target, options), draw)
          same(target.grad, case.d_target, agree.backward[dtype])
        end
      end)
  end
end)

-- ---- properties ---------------------------------------------------------------------------------

describe("cross_entropy", function()
  local function random(...) return gru.randn({...}, {dtype = "float64"}) end

  before_each(function() gru.manual_seed(11) end)

  it("has the gradient (softmax - one-hot) / count, rows ignored 0", function()
    local x = random(4, 3):requires_grad_()
    local target = gru.tensor {2, -100, 3, 1}
    F.cross_entropy(x, target):backward()
    local p = x:detach():softmax(2):totable()
    for i, t in ipairs {2, -100, 3, 1} do
      for c = 1, 3 do
        local want = t == -100 and 0 or (p[i][c] - (c == t and 1 or 0)) / 3
        assert.near(want, x.grad[{i, c}]:item(), 1e-14)
      end
    end
  end)

  it("is NaN, with NaN gradients of the rows' weights, where all is ignored and averaged", function()
    for _, options in ipairs {{}, {weight = gru.ones(3)}, {label_smoothing = 0.5}} do
      local x = gru.randn(2, 3):requires_grad_()
      local loss = F.cross_entropy(x, gru.tensor {-100, -100}, options)
      assert.is_true(loss:isnan():item())
      local ignored = F.cross_entropy(x, gru.tensor {2, 2}, {ignore_index = 2})
      assert.is_true(ignored:isnan():item())
      options.reduction = "sum"
      local sum = F.cross_entropy(x, gru.tensor {-100, -100}, options)
      assert.equal(0, sum:item())
      sum:backward()
      assert.equal(0, x.grad:abs():max():item())
      options.reduction = "none"
      same(F.cross_entropy(x, gru.tensor {-100, -100}, options), nd.new({2}, {0, 0}), 0)
    end
  end)

  it("does not look at logits of ignored rows", function()
    for _, bad in ipairs {0 / 0, math.huge} do
      local x = gru.tensor {{0.5, 1.5}, {bad, bad}}
      x:requires_grad_()
      local loss = F.cross_entropy(x, gru.tensor {1, -100}, {reduction = "sum"})
      assert.near(math.log(1 + math.exp(1)), loss:item(), 1e-6)
      loss:backward()
      same(x.grad[2], nd.new({2}, {0, 0}), 0)
    end
  end)

  it("takes an ignored id among the classes", function()
    local x = random(4, 3)
    local a = F.cross_entropy(x, gru.tensor {1, 2, 3, 2}, {ignore_index = 2})
    local b = F.cross_entropy(gru.stack({x[1], x[3]}, 1), gru.tensor {1, 3})
    assert.near(b:item(), a:item(), 1e-14)
  end)

  it("neither overflows nor cancels for large logits", function()
    local x = gru.tensor({{1000, 0, -1000}, {-1e30, 0, -1e30}}, {dtype = "float32"}):requires_grad_()
    local loss = F.cross_entropy(x, gru.tensor {2, 2}, {reduction = "none"})
    same(loss, nd.new({2}, {1000, 0}), 1e-6)
    loss:sum():backward()
    same(x.grad, nd.new({2, 3}, {1, -1, 0, 0, 0, 0}), 1e-6)
    assert.near(1e-20, F.cross_entropy(gru.tensor({{0, -46.0517}}, {dtype = "float64"}),
      gru.tensor {1}):item(), 1e-15)
  end)

  it("is log C for equal logits, whatever the smoothing", function()
    for _, e in ipairs {0, 0.3, 1} do
      local loss = F.cross_entropy(gru.full({5, 7}, 3.25), gru.tensor {1, 2, 3, 4, 7}, {label_smoothing = e})
      assert.near(math.log(7), loss:item(), 1e-6)
    end
  end)

  it("takes views: transposed logits, sliced targets", function()
    local x = random(5, 4):requires_grad_()
    local ids = gru.tensor {{1, 9}, {3, 9}, {5, 9}, {2, 9}}
    local view = F.cross_entropy(x:t(), ids:select(2, 1))
    view:backward()
    local plain = x:detach():t():contiguous():requires_grad_()
    local loss = F.cross_entropy(plain, gru.tensor {1, 3, 5, 2})
    loss:backward()
    assert.equal(loss:item(), view:item())
    same(x.grad:t(), nd.of(plain.grad), 0)
  end)

  it("has the same rows in (N, C, d) as in (N * d, C)", function()
    local x = random(2, 3, 4)
    local ids = gru.tensor {{1, 2, 3, 1}, {3, 3, -100, 2}}
    local many = F.cross_entropy(x, ids, {reduction = "none"})
    assert.same({2, 4}, many.shape)
    local rows = F.cross_entropy(x:transpose(2, 3):reshape(8, 3), ids:reshape(8), {reduction = "none"})
    same(many, nd.reshape(nd.of(rows), {2, 4}), 0)
  end)

  it("weighs what flows back by the row's gradient", function()
    local x = random(3, 4):requires_grad_()
    local ids, g = gru.tensor {1, 4, 2}, gru.tensor({0.5, 0, -2}, {dtype = "float64"})
    F.cross_entropy(x, ids, {reduction = "none"}):backward(g)
    local direct = x.grad
    x.grad = nil;
    (F.cross_entropy(x, ids, {reduction = "none"}) * g):sum():backward()
    same(direct, nd.of(x.grad), 0)
    assert.equal(0, direct[2]:abs():max():item())
  end)

  it("leaves options and inputs as they were", function()
    local options = {reduction = "none", label_smoothing = 0.5}
    local x = random(2, 3)
    local before = nd.of(x)
    F.cross_entropy(x, gru.tensor {1, 2}, options)
    assert.same({reduction = "none", label_smoothing = 0.5}, options)
    same(x, before, 0)
  end)

  it("needs no graph under no_grad", function()
    local x = random(2, 3):requires_grad_()
    local loss = gru.no_grad(function() return F.cross_entropy(x, gru.tensor {1, 2}) end)
    assert.is_false(loss.requires_grad)
  end)
end)

describe("CrossEntropyLoss", function()
  it("moves its weights with the module", function()
    local weight = gru.tensor {0.5, 1.5, 2}
    local criterion = nn.CrossEntropyLoss {weight = weight}
    assert.same({0.5, 1.5, 2}, criterion:state_dict().weight:totable())
    assert.equal(0, #criterion:parameters())
    criterion:to("float64")
    local x = gru.randn(4, 3, {dtype = "float64"})
    local ids = gru.tensor {1, 2, 3, 3}
    local want = F.cross_entropy(x, ids, {weight = weight:double()})
    assert.equal(want:item(), criterion(x, ids):item())
  end)

  it("keeps its settings from call to call", function()
    local criterion = nn.CrossEntropyLoss {reduction = "none", ignore_index = 1, label_smoothing = 0.25}
    local x, ids = gru.randn(3, 2), gru.tensor {1, 2, 2}
    for _ = 1, 2 do
      local loss = criterion(x, ids)
      assert.same({3}, loss.shape)
      assert.equal(0, loss[1]:item())
      assert.is_true(loss[2]:item() > 0)
    end
  end)
end)

-- ---- gradients against differences --------------------------------------------------------------

describe("cross_entropy's gradients agree with differences:", function()
  local weight = gru.tensor({0.5, 1.5, 1}, {dtype = "float64"})
  local rows, ids = {4, 3}, {2, 3, -100, 1}
  local cases = {
    {rows, ids, {}},
    {rows, ids, {reduction = "sum"}},
    {rows, ids, {reduction = "none", weight = weight}},
    {rows, ids, {weight = weight, label_smoothing = 0.25}},
    {rows, ids, {ignore_index = 3, label_smoothing = 0.5, reduction = "none"}, {2, 3, 3, 1}},
    {{3}, 2, {label_smoothing = 0.125}},
    {{2, 3, 2}, {{1, 2}, {3, -100}}, {weight = weight}},
  }
  for i, case in ipairs(cases) do
    it(("%d. (%s) %s"):format(i, table.concat(case[1], ", "), title(case[3])), function()
      local draw = new_rng(i)
      local x = nd.generate(case[1], function() return draw(-2, 2) end)
      local target = gru.tensor(case[4] or case[2])
      local function f(logits) return F.cross_entropy(logits, target, case[3]) end
      assert(gradcheck.first(f, {x}))
      assert(gradcheck.second(f, {x}))
    end)
  end

  it("probabilities", function()
    local draw = new_rng(50)
    local x = nd.generate({3, 2}, function() return draw(-2, 2) end)
    local target = nd.generate({3, 2}, function() return draw(0.1, 1) end)
    local function f(a, b) return F.cross_entropy(a, b, {label_smoothing = 0.25}) end
    assert(gradcheck.first(f, {x, target}))
    assert(gradcheck.second(f, {x, target}))
  end)
end)

-- ---- errors -------------------------------------------------------------------------------------

describe("cross_entropy raises", function()
  local x
  before_each(function() x = gru.zeros(2, 3) end)

  it("for ids outside of the classes", function()
    raises("cross_entropy: .*0 .*1 %.%. 3", F.cross_entropy, x, gru.tensor {0, 1})
    raises("cross_entropy: .*4 .*1 %.%. 3", F.cross_entropy, x, gru.tensor {3, 4})
    raises("cross_entropy: .*%-1 ", F.cross_entropy, x, gru.tensor {3, -1})
    raises("cross_entropy: .*%-100", F.cross_entropy, x, gru.tensor {3, -100}, {ignore_index = 2})
  end)

  it("for shapes that do not fit", function()
    for _, shape in ipairs {{3}, {2, 1}, {2, 3}, {}} do
      raises("cross_entropy: .*2, 3", F.cross_entropy, x, gru.ones(shape, {dtype = "int64"}))
    end
    raises("cross_entropy: .*2, 5, 3.*3, 2", F.cross_entropy, gru.zeros(2, 5, 3), gru.ones({3, 2}):long())
    raises("cross_entropy: .*2, 5, 3", F.cross_entropy, gru.zeros(2, 5, 3), gru.ones({2, 5, 3}):long())
    raises("cross_entropy: .*%[%]", F.cross_entropy, gru.zeros({}), gru.tensor(1))
  end)

  it("for types that do not fit", function()
    raises("cross_entropy: .*number", F.cross_entropy, 3, gru.tensor {1, 2})
    raises("cross_entropy: .*table", F.cross_entropy, x, {1, 2})
    raises("cross_entropy: .*int64", F.cross_entropy, x:long(), gru.tensor {1, 2})
    raises("cross_entropy: .*float32", F.cross_entropy, x, gru.tensor {1.0, 2.0})
  end)

  it("for bad options", function()
    local ids = gru.tensor {1, 2}
    raises("cross_entropy: unknown option 'wieght'", F.cross_entropy, x, ids, {wieght = gru.ones(3)})
    raises("cross_entropy: reduction must be .*'avg'", F.cross_entropy, x, ids, {reduction = "avg"})
    raises("cross_entropy: .*label_smoothing.*1%.5", F.cross_entropy, x, ids, {label_smoothing = 1.5})
    raises("cross_entropy: .*label_smoothing.*%-0%.5", F.cross_entropy, x, ids, {label_smoothing = -0.5})
    raises("cross_entropy: .*weight.*%[3%].*%[2%]", F.cross_entropy, x, ids, {weight = gru.ones(2)})
    raises("cross_entropy: .*weight.*float64", F.cross_entropy, x, ids, {weight = gru.ones(3):double()})
    raises("cross_entropy: .*same shape", F.cross_entropy, x, gru.ones(2, 2))
    raises("CrossEntropyLoss: .*'wieght'", nn.CrossEntropyLoss, {wieght = gru.ones(3)})
    raises("CrossEntropyLoss: reduction", nn.CrossEntropyLoss, {reduction = "avg"})
  end)
end)
