-- Both generators: "torch" draws PyTorch's numbers, "philox" depends on the seed and place alone.
local gru = require "gru"
local agree = require "tests.support.agree"
local nd = require "tests.support.nd"
local describe = require("tests.support.devices").describe

local function expression(text) return assert(load("local gru = ... return " .. text, text, "t")) end

after_each(function() gru.manual_seed(0) end)

describe("the torch generator", function()
  for _, case in ipairs(require "tests.golden.random") do
    it(("draws PyTorch's numbers, seed %d: %s"):format(case.seed, table.concat(case.draws, ", ")), function()
      gru.manual_seed(case.seed, "torch")
      for i, draw in ipairs(case.draws) do
        local saved, t = case.outs[i], expression(draw)(gru)
        local ok, message = agree.shape(t, saved[2], saved[1])
        if ok then ok, message = agree.values(t, nd.new(saved[2], saved[3]), 1e-6) end
        assert(ok, message and draw .. ": " .. message)
      end
    end)
  end

  it("gives the same uniforms bit for bit", function()
    gru.manual_seed(0, "torch")
    local bits = {}
    for _, v in ipairs(gru.rand(4):totable()) do bits[#bits + 1] = v * 2 ^ 24 end
    -- torch.manual_seed(0); (torch.rand(4) * 2 ** 24).tolist()
    assert.same({8325804.0, 12888623.0, 1484405.0, 2215104.0}, bits)
  end)

  it("gives PyTorch's initial weights", function()
    local bound = 1 / math.sqrt(3)
    gru.manual_seed(0, "torch")
    local starts = {{-0.004323, 0.309716, -0.475185, -0.424895}, {-0.391409, -0.251415, 0.209703, 0.479425},
      {-0.297641, 0.364272, 0.338513, -0.256052}, {0.387105, -0.339945, 0.107586, -0.447623}}
    for i, size in ipairs {18, 27, 9, 9} do
      local w = gru.empty(size):uniform_(-bound, bound)
      assert(agree.values(w:narrow(1, 1, 4), nd.new({4}, starts[i]), 1e-6))
    end
  end)
end)

describe("the philox generator", function()
  it("gives the same numbers for the same seed, and others for another", function()
    for _, draw in ipairs {"gru.rand(1000)", "gru.randn(1000)", "gru.randint(0, 1000, {1000})",
      "gru.randperm(1000)", "gru.empty(1000):bernoulli_(0.5)", "gru.rand(1000, {dtype = 'float64'})"} do
      local f, seen = expression(draw), {}
      for i, seed in ipairs {7, 7, 8, -1} do
        gru.manual_seed(seed)
        seen[i] = f(gru):data()
      end
      assert.equal(seen[1], seen[2])
      assert.not_equal(seen[1], seen[3])
      assert.not_equal(seen[3], seen[4])
    end
  end)

  it("goes on from one draw to the next", function()
    gru.manual_seed(7)
    local a, b = gru.rand(8):data(), gru.rand(8):data()
    gru.manual_seed(7)
    assert.equal(a .. b, gru.rand(16):data())
    gru.manual_seed(7)
    gru.rand(5)
    assert.equal(b, gru.rand(8):data(), "draws are taken in whole groups of four")
  end)

  it("fills in the order of the elements, whatever the strides", function()
    gru.manual_seed(7)
    local flat = gru.rand(3, 4):data()
    gru.manual_seed(7)
    local strided = gru.zeros(4, 3):t()
    strided:uniform_()
    assert.equal(flat, strided:data())
  end)

  it("does not depend on the number of threads", function()
    local before = gru.get_num_threads()
    local seen = {}
    for i, n in ipairs {1, 2, 4} do
      gru.set_num_threads(n)
      gru.manual_seed(3)
      seen[i] = gru.randn(100003):data()
    end
    gru.set_num_threads(before)
    assert.equal(seen[1], seen[2])
    assert.equal(seen[1], seen[3])
  end)
end)

local N = 40000

-- |mean - m| and |variance - v| within five standard errors, s4 being the fourth central moment.
local function moments(x, m, v, s4)
  local d = x:double()
  local mean, var = d:mean():item(), d:var():item()
  assert(math.abs(mean - m) < 5 * math.sqrt(v / N), ("mean %g, expected %g"):format(mean, m))
  assert(math.abs(var - v) < 5 * math.sqrt((s4 - v * v) / N), ("variance %g, expected %g"):format(var, v))
end

for _, generator in ipairs {"philox", "torch"} do
  describe("draws of " .. generator, function()
    before_each(function() gru.manual_seed(11, generator) end)

    it("are uniform in [low, high)", function()
      for _, dtype in ipairs {"float32", "float64"} do
        local x = gru.empty(N, {dtype = dtype}):uniform_(-1, 3)
        assert.is_true(x:ge(-1):all():item() and x:lt(3):all():item())
        moments(x, 1, 16 / 12, 256 / 80)
        moments(gru.rand(N, {dtype = dtype}), 0.5, 1 / 12, 1 / 80)
      end
    end)

    it("are normal", function()
      for _, dtype in ipairs {"float32", "float64"} do
        moments(gru.empty(N, {dtype = dtype}):normal_(2, 3), 2, 9, 3 * 81)
        local x = gru.randn(N, {dtype = dtype})
        assert.is_true(x:isfinite():all():item())
        moments(x, 0, 1, 3)
        -- 68.27 % within one standard deviation
        local inside = x:abs():lt(1):sum():item() / N
        assert(math.abs(inside - 0.6827) < 0.012, tostring(inside))
      end
    end)

    it("are 1 with the chance asked for, in every dtype", function()
      for _, dtype in ipairs {"float32", "float64", "int64", "bool"} do
        local x = gru.empty(N, {dtype = dtype}):bernoulli_(0.3)
        moments(x, 0.3, 0.21, 0.3 * 0.7 ^ 4 + 0.7 * 0.3 ^ 4)
      end
      assert.equal(0, gru.empty(100):bernoulli_(0):sum():item())
      assert.equal(100, gru.empty(100):bernoulli_(1):sum():item())
    end)

    it("are integers, each as often as the others", function()
      local x = gru.randint(-2, 4, {N})
      assert.equal("int64", x.dtype)
      assert.equal(-2, x:min():item())
      assert.equal(3, x:max():item())
      for v = -2, 3 do
        local share = x:eq(v):sum():item() / N
        assert(math.abs(share - 1 / 6) < 0.011, ("%d: %g"):format(v, share))
      end
      assert.equal(0, gru.randint(1, {5}):sum():item())
      assert.is_true(gru.randint(10, {100}):lt(10):all():item())
      local wide = gru.randint(math.mininteger, math.maxinteger, {1000})
      assert.is_true(wide:lt(0):any():item() and wide:gt(0):any():item())
    end)

    it("are permutations of 1 .. n", function()
      for _, n in ipairs {0, 1, 2, 10, 1000} do
        local p, seen = gru.randperm(n), {}
        assert.equal("int64", p.dtype)
        for _, i in ipairs(p:totable()) do
          assert.is_nil(seen[i])
          assert.is_true(i >= 1 and i <= n)
          seen[i] = true
        end
        assert.equal(n, p:numel())
      end
      -- each of the six orders of three comes up
      local orders = {}
      for _ = 1, 200 do orders[table.concat(gru.randperm(3):totable(), " ")] = true end
      local n = 0
      for _ in pairs(orders) do n = n + 1 end
      assert.equal(6, n)
    end)
  end)
end

describe("draws", function()
  it("refuse what cannot be", function()
    assert.error_matches(function() gru.empty(2):uniform_(1, 0) end, "uniform_: ")
    assert.error_matches(function() gru.empty(2):uniform_(0, 0 / 0) end, "uniform_: ")
    assert.error_matches(function() gru.empty(2):normal_(0, -1) end, "normal_: std must not be negative")
    assert.error_matches(function() gru.empty(2):bernoulli_(1.5) end, "bernoulli_: a chance")
    assert.error_matches(function() gru.randint(3, 3, {2}) end, "no integers from 3")
    assert.error_matches(function() gru.randperm(-1) end, "randperm: ")
    assert.error_matches(function() gru.rand(2, {dtype = "int64"}) end, "uniform_: wants a float")
    assert.error_matches(function() gru.manual_seed(1, "mersenne") end, "mersenne")
    assert.error_matches(function() gru.manual_seed("x") end, "number expected")
  end)

  it("count as changes, and leave tensors that require grad alone", function()
    local x = gru.zeros(3)
    local version = x:_version()
    x:uniform_()
    assert.is_true(x:_version() > version)
    local w = gru.zeros(3, {requires_grad = true})
    assert.error_matches(function() w:normal_() end, "no_grad")
    gru.no_grad(function() w:normal_() end)
    assert.is_true(w.is_leaf and w.requires_grad)
  end)
end)
