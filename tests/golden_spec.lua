-- The runtime against PyTorch's numbers: tests/golden/*.lua, made by tests/golden/make_golden.py.
local gru = require "gru"
local core = require "gru.core"
local agree = require "tests.support.agree"
local golden = require "tests.support.golden"
local nd = require "tests.support.nd"
local describe = require("tests.support.devices").describe

describe("PyTorch's numbers:", function()
  for i, case in ipairs(require "tests.golden.ops") do
    it(("%s of %s, %d"):format(case.call, case.inputs[1][1], i), function() golden.run(case) end)
  end
end)

describe("PyTorch's promotion:", function()
  -- "dims float32", "0-d bool", "number int64"
  local function operand(name)
    local rank, dtype = name:match("^(%S+) (%S+)$")
    if rank == "number" then return dtype == "int64" and 1 or 1.0 end
    return gru.ones(rank == "dims" and {2} or {}, {dtype = dtype})
  end

  for _, row in ipairs(require "tests.golden.promotion") do
    it(row[1] .. " with " .. row[2], function()
      local a, b = operand(row[1]), operand(row[2])
      assert.equal(row[3], gru.add(a, b).dtype)
      assert.equal(row[4], gru.div(a, b).dtype)
      assert.equal(row[5], gru.lt(a, b).dtype)
    end)
  end
end)

-- Numbers of an independent program, in float64.
describe("the reference GRU", function()
  local I, H, T = 2, 3, 3

  local function parameters()
    local k, sizes, made = 0, {{9, 2}, {9, 3}, {9}, {9}}, {}
    for i, shape in ipairs(sizes) do
      made[i] = nd.tensor(nd.generate(shape, function()
        k = k + 1
        return 0.5 * math.sin(0.1 + 0.7 * (k - 1))
      end), "float64"):requires_grad_()
    end
    return made
  end

  local function unroll(cell)
    local p, h, loss, steps = parameters(), gru.zeros(1, H, {dtype = "float64"}), 0, {}
    for t = 1, T do
      local x = nd.tensor(nd.generate({1, I}, function(i) return math.cos(0.3 * (2 * (t - 1) + i - 1)) end),
        "float64")
      h = cell(x:matmul(p[1]:t()), h, p)
      steps[t] = h
      loss = loss + (h * gru.arange(1 + (t - 1) * H, 1 + t * H):double() * 0.1):sum()
    end
    loss:backward()
    return steps, loss, p
  end

  local function near(want, t) assert(agree.values(t, want, 1e-7)) end

  local function compare(steps, loss, p, want)
    for t = 1, T do near(nd.new({1, H}, want.h[t]), steps[t]) end
    near(nd.new({}, {want.loss}), loss)
    for i, places in ipairs(want.d) do
      for place, v in pairs(places) do near(nd.new({}, {v}), p[i].grad:reshape(-1)[place + 1]) end
    end
  end

  it("with the reset gate after the product", function()
    local steps, loss, p = unroll(function(xw, h, w)
      local gi, gh = (xw + w[3]):chunk(3, 2), (h:matmul(w[2]:t()) + w[4]):chunk(3, 2)
      local r, z = (gi[1] + gh[1]):sigmoid(), (gi[2] + gh[2]):sigmoid()
      local n = (gi[3] + r * gh[3]):tanh()
      return (1 - z) * n + z * h
    end)
    compare(steps, loss, p, {
      h = {{-.1442593069, -.4708966513, -.3426954132}, {-.3323042330, -.6750306708, -.4406788372},
        {-.4793853139, -.7109168815, -.3068721155}},
      loss = -2.1267463448,
      d = {{[0] = -.0885296, [17] = .3136704}, {[0] = .0254599, [26] = -.2145380},
        {[0] = -.1309246, [8] = .7813482}, {[0] = -.1309246, [8] = .6252586}},
    })
  end)

  it("with the reset gate before it", function()
    local steps, loss, p = unroll(function(xw, h, w)
      local gi, wh = (xw + w[3] + w[4]):chunk(3, 2), w[2]:chunk(3, 1)
      local r, z = (gi[1] + h:matmul(wh[1]:t())):sigmoid(), (gi[2] + h:matmul(wh[2]:t())):sigmoid()
      local n = (gi[3] + (r * h):matmul(wh[3]:t())):tanh()
      return (1 - z) * n + z * h
    end)
    compare(steps, loss, p, {
      h = {{-.2254708973, -.4770690550, -.3516798641}, {-.4915450363, -.6917012563, -.4532004442},
        {-.6586739219, -.7430356778, -.3626178925}},
      loss = -2.4197101601,
      d = {{[0] = .0072891, [17] = .3053653}, {[0] = -.0066809, [26] = -.2082431},
        {[0] = .0155330, [8] = .7393798}, {}},
    })
  end)

  it("and its cross entropy", function()
    local x = gru.tensor({{1, 2, 3}, {.5, -.5, 0}, {2, 1, 0}}, {dtype = "float64"})
    local y = gru.tensor({3, 1, -100})
    local function loss(...) return core.cross_entropy(x, y, ...) end
    near(nd.new({}, {.54393782}), loss(nil, -100))
    near(nd.new({}, {.61893782}), loss(nil, -100, "mean", 0.1))
    near(nd.new({}, {.48550988}), loss(gru.tensor({.2, .3, .5}, {dtype = "float64"}), -100))
    assert.error_matches(function() loss(nil, nil) end, "cross_entropy: id %-100 at position 3")
    assert.error_matches(function() core.cross_entropy(x, gru.tensor({1, 4, 1})) end, "id 4 at position 2")
  end)
end)
