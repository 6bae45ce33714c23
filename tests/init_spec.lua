-- nn.init: PyTorch's draws, statistics, and what is said of wrong use.
local agree = require "tests.support.agree"
local golden = require "tests.golden.layers"
local gru = require "gru"
local nd = require "tests.support.nd"
local describe = require("tests.support.devices").describe

local nn = gru.nn
local init = nn.init

local function compare(x, want, tol)
  local ok, message = agree.values(x, nd.new(want[1], want[2]), tol)
  if not ok then error(message, 0) end
end

describe("after manual_seed(s, \"torch\") the draws are PyTorch's:", function()
  teardown(function() gru.manual_seed(0) end)
  for _, case in ipairs(golden.init) do
    it(("%s [%s]"):format(case.lua, table.concat(case.value[1], ",")), function()
      local x = gru.full(case.value[1], 9.0)
      gru.manual_seed(case.seed, "torch")
      local call = assert(load("local init, x = ... return init." .. case.lua))
      assert.equal(x, call(init, x))
      -- uniform draws agree in every bit; the others go through log, cos and the like
      local exact = case.lua:find "uniform" or not case.lua:find "normal_" and not case.lua:find "orth"
      compare(x, case.value, exact and 1e-8 or 2e-6)
    end)
  end
  for _, case in ipairs(golden.first_weights) do
    it("first weights of " .. case.lua, function()
      gru.manual_seed(case.seed, "torch")
      local module = assert(load("local nn = ... return " .. case.lua))(nn)
      local i = 0
      for name, p in module:named_parameters() do
        i = i + 1
        assert.equal(case.keys[i], name)
        compare(p:detach(), case.values[i], case.lua:find "Embedding" and 2e-6 or 1e-8)
      end
      assert.equal(#case.keys, i)
    end)
  end
end)

-- Mean and standard deviation of many draws.
local function moments(x) return x:mean():item(), x:std():item() end

local function near(want, got, tol)
  assert.is_true(math.abs(want - got) <= tol, ("%g, expected %g"):format(got, want))
end

describe("statistics of", function()
  local function draw(f, ...)
    gru.manual_seed(3)
    return f(gru.zeros(200, 100, {dtype = "float64"}), ...)
  end

  it("xavier_uniform_", function()
    local x, bound = draw(init.xavier_uniform_, 2), 2 * math.sqrt(6 / 300)
    local mean, std = moments(x)
    near(0, mean, 0.01)
    near(bound / math.sqrt(3), std, 0.005)
    assert.is_true(x:abs():max():item() <= bound)
    assert.is_true(x:abs():max():item() > 0.99 * bound)
  end)

  it("xavier_normal_", function()
    local mean, std = moments(draw(init.xavier_normal_))
    near(0, mean, 0.002)
    near(math.sqrt(2 / 300), std, 0.001)
  end)

  it("kaiming_uniform_ and kaiming_normal_", function()
    local x = draw(init.kaiming_uniform_, {nonlinearity = "relu"})
    near(math.sqrt(2 / 100), select(2, moments(x)), 0.003)
    assert.is_true(x:abs():max():item() <= math.sqrt(6 / 100))
    x = draw(init.kaiming_normal_, {mode = "fan_out", nonlinearity = "relu"})
    near(math.sqrt(2 / 200), select(2, moments(x)), 0.002)
  end)

  it("trunc_normal_", function()
    local x = draw(init.trunc_normal_, 0, 1, -1, 2)
    assert.is_true(x:min():item() >= -1 and x:max():item() <= 2)
    near(0.2296, x:mean():item(), 0.02) -- (phi(-1) - phi(2)) / (Phi(2) - Phi(-1))
    x = draw(init.trunc_normal_, 0, 1, 3, 3.5) -- far out
    assert.is_true(x:min():item() >= 3 and x:max():item() <= 3.5)
  end)

  it("fans count the further dims", function()
    gru.manual_seed(1)
    local x = init.xavier_uniform_(gru.zeros(8, 4, 5))
    assert.is_true(x:abs():max():item() <= math.sqrt(6 / (20 + 40)))
    assert.is_true(x:abs():max():item() > 0.9 * math.sqrt(6 / (20 + 40)))
  end)
end)

describe("orthogonal_", function()
  for _, shape in ipairs {{5, 5}, {3, 7}, {7, 3}, {1, 4}, {4, 1}, {4, 3, 2}, {60, 60}, {64, 128}} do
    it("[" .. table.concat(shape, ", ") .. "]", function()
      local x = init.orthogonal_(gru.zeros(shape, {dtype = "float64"}), 2)
      local flat = x:reshape(shape[1], -1)
      if flat:size(1) > flat:size(2) then flat = flat:t() end
      local n = flat:size(1)
      assert.is_true(agree.tensors(flat:matmul(flat:t()), gru.eye(n, {dtype = "float64"}) * 4, 1e-13))
    end)
  end

  it("is fast enough for a hidden state of 512", function()
    local start = os.clock()
    init.orthogonal_(gru.zeros(512, 512))
    assert.is_true(os.clock() - start < 5)
  end)
end)

describe("init functions", function()
  it("fill with constants", function()
    local x = gru.zeros(2, 3)
    assert.same({{1, 0, 0}, {0, 1, 0}}, init.eye_(x):totable())
    assert.same({{2, 2, 2}, {2, 2, 2}}, init.constant_(x, 2):totable())
    assert.same({{1, 1, 1}, {1, 1, 1}}, init.ones_(x):totable())
    assert.same({{0, 0, 0}, {0, 0, 0}}, init.zeros_(x):totable())
  end)

  it("leave parameters leaves, and record nothing", function()
    local linear = nn.Linear(3, 4)
    for name, f in pairs(init) do
      if name ~= "calculate_gain" and name ~= "constant_" then
        assert.equal(linear.weight, f(linear.weight))
        assert.is_true(linear.weight.is_leaf)
        assert.is_true(linear.weight.requires_grad)
      end
    end
    assert.is_true(gru.is_grad_enabled())
  end)

  it("work on views of any strides", function()
    local x = gru.zeros(3, 4)
    init.orthogonal_(x:t())
    assert.is_true(agree.tensors(x:matmul(x:t()), gru.eye(3), 1e-5))
  end)

  it("know the gains", function()
    local want = {
      linear = 1, identity = 1, sigmoid = 1, tanh = 5 / 3, relu = math.sqrt(2), selu = 0.75,
      leaky_relu = math.sqrt(2 / (1 + 0.0001)),
    }
    for name, gain in pairs(want) do near(gain, init.calculate_gain(name), 1e-15) end
    near(math.sqrt(2 / 5), init.calculate_gain("leaky_relu", 2), 1e-15)
  end)

  local x = gru.zeros(3)
  local bad = {
    {function() init.xavier_uniform_(x) end,
     "xavier_uniform_: fans want a tensor of 2 dims or more, got [3]"},
    {function() init.kaiming_normal_(x) end, "kaiming_normal_: fans want a tensor of 2 dims"},
    {function() init.orthogonal_(x) end, "orthogonal_: wants 2 dims or more, got [3]"},
    {function() init.eye_(x) end, "eye_: wants 2 dims, got [3]"},
    {function() init.zeros_(3) end, "zeros_: a tensor expected, got number"},
    {function() init.uniform_(x, 3, 1) end, "uniform_: no numbers from 3 to 1"},
    {function() init.kaiming_uniform_(gru.zeros(2, 2), {mode = "fan"}) end,
     'kaiming_uniform_: mode must be "fan_in" or "fan_out", got fan'},
    {function() init.kaiming_uniform_(gru.zeros(2, 2), {gain = 1}) end,
     "kaiming_uniform_: unknown option 'gain'"},
    {function() local g = init.calculate_gain("swish") return g end,
     "calculate_gain: unknown nonlinearity 'swish'"},
    {function() init.trunc_normal_(x, 0, 1, 2, 1) end, "trunc_normal_: wants std > 0 and a < b"},
  }
  for _, row in ipairs(bad) do
    it("say: " .. row[2], function()
      local ok, message = pcall(row[1])
      assert.is_false(ok)
      assert.truthy(message:find(row[2], 1, true), message)
      assert.truthy(message:find("tests/init_spec.lua", 1, true), message)
      assert.is_true(gru.is_grad_enabled())
    end)
  end
end)
