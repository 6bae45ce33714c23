-- nn.GRU: dropout between layers, gradients against differences, wrong use.
local gru = require "gru"
local fixture = require "tests.support.fill"
local nd = require "tests.support.nd"
local new_rng = require "tests.support.rng"
local describe = require("tests.support.devices").describe

local nn = gru.nn

local same, equal = fixture.same, fixture.equal
local fill_random, random_tensor = fixture.fill_random, fixture.random_tensor

-- ---- dropout ------------------------------------------------------------------------------------

describe("GRU's dropout", function()
  local warnings, warn_before

  before_each(function()
    warnings, warn_before = {}, rawget(_G, "warn")
    rawset(_G, "warn", function(...) warnings[#warnings + 1] = table.concat {...} end)
  end)

  after_each(function() rawset(_G, "warn", warn_before) end)

  it("acts between layers only, never on states or on the output", function()
    gru.manual_seed(1)
    local rnn = nn.GRU(2, 3, {num_layers = 2, dropout = 1})
    local x = gru.randn(5, 2, 2)
    local output, h_n = rnn(x)
    -- with p = 1 the second layer sees zeros
    local second = nn.GRU(3, 3)
    for _, name in ipairs {"weight_ih_l", "weight_hh_l", "bias_ih_l", "bias_hh_l"} do
      second[name .. 0] = nn.Parameter(rnn[name .. 1])
    end
    local want, want_h = second(gru.zeros(5, 2, 3))
    equal(output, want)
    equal(h_n[2], want_h[1])
    rnn:eval()
    local eval_output, eval_h = rnn(x)
    equal(h_n[1], eval_h[1])
    assert.is_true((eval_output - output):abs():max():item() > 1e-3)
    assert.same({}, warnings)
  end)

  it("draws a mask of its own for every element, step and call, scaled by 1 / (1 - p)", function()
    local H, L, N, p = 8, 10, 6, 0.25
    gru.manual_seed(2)
    local rnn = nn.GRU(3, H, {num_layers = 2, dropout = p, dtype = "float64"})
    local first = nn.GRU(3, H, {dtype = "float64"})
    for _, name in ipairs {"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"} do
      first[name] = nn.Parameter(rnn[name])
    end
    -- a second layer that shows its input: z = 0, h' = tanh(x / 4)
    do
      local _ <close> = gru.no_grad()
      rnn.weight_hh_l1:zero_()
      rnn.bias_ih_l1:zero_()
      rnn.bias_hh_l1:zero_():narrow(1, H + 1, H):fill_(-40)
      rnn.weight_ih_l1:zero_():narrow(1, 2 * H + 1, H):copy_(gru.eye(H) * 0.25)
    end
    local x = gru.randn(L, N, 3, {dtype = "float64"})
    local hidden = nd.of(first(x)).data
    local function mask()
      local bits, kept = {}, 0
      for i, v in ipairs(nd.of(rnn(x)).data) do
        local ratio = 4 * 0.5 * math.log((1 + v) / (1 - v)) / hidden[i]
        local on = ratio > 0.5
        assert.near(on and 1 / (1 - p) or 0, ratio, 1e-9)
        bits[i] = on and "1" or "0"
        kept = kept + (on and 1 or 0)
      end
      return table.concat(bits), kept / #bits
    end
    local a, share = mask()
    assert.is_true(math.abs(share - (1 - p)) < 5 * math.sqrt(p * (1 - p) / #a))
    assert.not_equal(a, (mask()))
    local steps, rows = {}, {}
    for t = 1, L do steps[a:sub((t - 1) * N * H + 1, t * N * H)] = true end
    for b = 1, L * N do rows[a:sub((b - 1) * H + 1, b * H)] = true end
    local count = {0, 0}
    for i, set in ipairs {steps, rows} do
      for _ in pairs(set) do count[i] = count[i] + 1 end
    end
    assert.equal(L, count[1])
    assert.is_true(count[2] > L * N / 3)
    gru.manual_seed(9)
    local again = mask()
    gru.manual_seed(9)
    assert.equal(again, (mask()))
  end)

  it("is the same mask for the gradient", function()
    gru.manual_seed(3)
    local rnn = nn.GRU(2, 3, {num_layers = 2, dropout = 0.5, dtype = "float64"})
    local x = gru.randn(2, 2, 2, {dtype = "float64"})
    assert(gru.autograd.gradcheck(function()
      gru.manual_seed(4)
      return (rnn(x))
    end, rnn:parameters(), {atol = 1e-8, rtol = 1e-5}))
  end)

  it("warns for one layer, where it has no effect", function()
    local rnn = nn.GRU(2, 3, {dropout = 0.5})
    assert.equal(1, #warnings)
    assert.truthy(warnings[1]:find "GRU: dropout .* no effect")
    local x = gru.randn(4, 2, 2)
    local a = rnn(x)
    rnn:eval()
    equal(a, (rnn(x)))
  end)
end)

-- ---- gradients against differences --------------------------------------------------------------

describe("GRU's gradients", function()
  local cases = {
    {"after", {}, {3, 2, 2}},
    {"before", {}, {3, 2, 2}},
    {"after", {bidirectional = true, num_layers = 2}, {3, 2, 2}, {1, 3}},
    {"before", {bidirectional = true, num_layers = 2, batch_first = true}, {2, 3, 2}, {3, 2}},
    {"before", {bias = false}, {2, 2}},
  }

  local function make(case, seed)
    local draw = new_rng(seed)
    local options = {reset = case[1], dtype = "float64"}
    for key, value in pairs(case[2]) do options[key] = value end
    local rnn = nn.GRU(2, 2, options)
    fill_random(rnn, draw)
    local rows = rnn.num_layers * (rnn.bidirectional and 2 or 1)
    local x = random_tensor(draw, "float64", table.unpack(case[3])):requires_grad_()
    local state = #case[3] == 2 and {rows, 2} or {rows, 2, 2}
    local h_0 = random_tensor(draw, "float64", table.unpack(state)):requires_grad_()
    local inputs = {x, h_0, table.unpack(rnn:parameters())}
    local function f()
      local output, h_n = rnn(x, h_0, {lengths = case[4]})
      return gru.cat({output:reshape(-1), h_n:reshape(-1)}, 1)
    end
    return f, inputs
  end

  for i, case in ipairs(cases) do
    it(("of first order agree with differences: reset %s, case %d"):format(case[1], i), function()
      local f, inputs = make(case, 100 + i)
      assert(gru.autograd.gradcheck(f, inputs, {atol = 1e-8, rtol = 1e-6}))
    end)

    it(("of second order agree with differences: reset %s, case %d"):format(case[1], i), function()
      local f, inputs = make({case[1], case[2], case[3], case[4]}, 200 + i)
      if #inputs > 8 then -- a large case: some inputs stand for all
        inputs = {inputs[1], inputs[2], inputs[4], inputs[#inputs - 1]}
      end
      assert(gru.autograd.gradgradcheck(f, inputs, {atol = 1e-7, rtol = 1e-5}))
    end)
  end

  it("of second order exist for one-hot input, too", function()
    local rnn = nn.GRU(3, 2, {dtype = "float64"})
    fill_random(rnn, new_rng(9))
    local x = gru.one_hot(gru.tensor {{1, 3}, {2, 2}}, 3):double()
    assert(gru.autograd.gradgradcheck(function() return (rnn(x)) end, rnn:parameters(),
      {atol = 1e-7, rtol = 1e-5}))
  end)

  it("of second order leave out a weight that was frozen after the call", function()
    local rnn = nn.GRU(3, 2, {dtype = "float64"})
    local x = gru.randn(4, 2, 3, {dtype = "float64", requires_grad = true})
    local output = rnn(x)
    rnn.weight_hh_l0:requires_grad_(false)
    local dx = gru.autograd.grad(output:square():sum(), {x}, {create_graph = true})[1]
    dx:square():sum():backward()
    assert.is_not_nil(x.grad)
    assert.is_nil(rnn.weight_hh_l0.grad)
    local first = gru.autograd.grad(rnn(x):square():sum(), {x})[1]
    same(dx:detach(), nd.of(first), 1e-13)
  end)

  it("add up over calls and do not depend on the batch they came in", function()
    local draw = new_rng(300)
    local rnn = nn.GRU(2, 3, {dtype = "float64"})
    fill_random(rnn, draw)
    local x = random_tensor(draw, "float64", 4, 3, 2)
    rnn(x):sum():backward()
    local together = {}
    for k, p in ipairs(rnn:parameters()) do together[k] = p.grad end
    rnn:zero_grad()
    for b = 1, 3 do rnn(x:narrow(2, b, 1)):sum():backward() end
    for k, p in ipairs(rnn:parameters()) do same(p.grad, nd.of(together[k]), 1e-13) end
  end)

  it("are not recorded under no_grad", function()
    local rnn = nn.GRU(2, 3, {num_layers = 2})
    local output, h_n = gru.no_grad(function() return rnn(gru.randn(3, 2, 2)) end)
    assert.is_false(output.requires_grad)
    assert.is_false(h_n.requires_grad)
  end)
end)

-- ---- errors -------------------------------------------------------------------------------------

describe("GRU raises", function()
  local rnn
  before_each(function() rnn = nn.GRU(2, 3) end)

  local function raises(pattern, f, ...)
    local ok, message = pcall(f, ...)
    assert.is_false(ok)
    assert.truthy(tostring(message):find(pattern), message)
  end

  it("for bad settings", function()
    raises("GRU: input_size must be a positive integer, got 0", nn.GRU, 0, 3)
    raises("GRU: hidden_size must be a positive integer, got nil", nn.GRU, 2)
    raises("GRU: hidden_size must be a positive integer, got 2.5", nn.GRU, 2, 2.5)
    raises("GRU: num_layers must be a positive integer, got 0", nn.GRU, 2, 3, {num_layers = 0})
    raises("GRU: dropout must be in 0 .. 1, got 1.5", nn.GRU, 2, 3, {dropout = 1.5})
    raises("GRU: dropout must be in 0 .. 1, got %-0.1", nn.GRU, 2, 3, {dropout = -0.1})
    raises("GRU: dropout must be in 0 .. 1, got .*nan", nn.GRU, 2, 3, {dropout = 0 / 0})
    raises("GRU: reset must be \"after\" or \"before\", got never", nn.GRU, 2, 3, {reset = "never"})
    raises("GRU: unknown option 'layers'", nn.GRU, 2, 3, {layers = 2})
    raises("GRU: unknown option 'hiden_size'", nn.GRU, {input_size = 2, hidden_size = 3, hiden_size = 3})
    raises("GRU: options must be a table.*got number", nn.GRU, 2, 3, 2)
  end)

  it("for bad input", function()
    raises("GRU: an input tensor expected, got table", rnn, {1, 2})
    raises("GRU: input must have 2 or 3 dims, got %[4%]", rnn, gru.zeros(4))
    raises("GRU: input must have 2 or 3 dims, got %[1, 2, 3, 2%]", rnn, gru.zeros(1, 2, 3, 2))
    raises("GRU: input %[4, 2, 3%] ends with 3, input_size is 2", rnn, gru.zeros(4, 2, 3))
    raises("GRU: a sequence of no steps", rnn, gru.zeros(0, 2, 2))
    raises("GRU: a sequence of no steps", nn.GRU(2, 3, {batch_first = true}), gru.zeros(2, 0, 2))
  end)

  it("for a bad h_0", function()
    local x = gru.zeros(4, 2, 2)
    raises("GRU: h_0 must be %[1, 2, 3%], got %[2, 2, 3%]", rnn, x, gru.zeros(2, 2, 3))
    raises("GRU: h_0 must be %[1, 2, 3%], got %[2, 3%]", rnn, x, gru.zeros(2, 3))
    raises("GRU: h_0 must be .*, got number", rnn, x, 3)
    raises("GRU: h_0 must be %[1, 3%].*, got %[1, 1, 3%]", rnn, gru.zeros(4, 2), gru.zeros(1, 1, 3))
    raises("GRU: h_0 must be %[4, 2, 3%], got %[2, 4, 3%]; batch_first does not change it",
      nn.GRU(2, 3, {batch_first = true, num_layers = 2, bidirectional = true}), gru.zeros(2, 4, 2),
      gru.zeros(2, 4, 3))
  end)

  it("for bad lengths", function()
    local x = gru.zeros(4, 2, 2)
    raises("GRU: lengths must name 2 rows, got 3", rnn, x, nil, {lengths = {1, 2, 3}})
    raises("GRU: lengths must name 2 rows, got number", rnn, x, nil, {lengths = 4})
    raises("GRU: lengths%[2%] must be .*1 .. 4, got 0", rnn, x, nil, {lengths = {4, 0}})
    raises("GRU: lengths%[1%] must be .*1 .. 4, got 5", rnn, x, nil, {lengths = {5, 4}})
    raises("GRU: lengths%[1%] must be .*1 .. 4, got 2.5", rnn, x, nil, {lengths = {2.5, 4}})
    raises("GRU: unknown option 'length'", rnn, x, nil, {length = {4, 4}})
  end)
end)
