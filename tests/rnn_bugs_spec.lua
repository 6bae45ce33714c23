-- One test for each bug of recurrent layers that other systems shipped.
local agree = require "tests.support.agree"
local gru = require "gru"
local describe = require("tests.support.devices").describe

local nn = gru.nn

local function randn(...) return gru.randn({...}, {dtype = "float64"}) end

local function same(a, b, tol) assert.is_true(agree.tensors(a:detach(), b:detach(), tol or 1e-12)) end

local function differ(a, b) assert.is_true((a - b):abs():max():item() > 1e-3) end

local function set(p, f) gru.no_grad(function() p:copy_(f(p:detach())) end) end

-- A step of a GRU, from the equations and the parameters of layer 0.
local function gru_step(rnn, x, h)
  local H = rnn.hidden_size
  local a = x:matmul(rnn.weight_ih_l0:t()) + rnn.bias_ih_l0
  local b = h:matmul(rnn.weight_hh_l0:t()) + rnn.bias_hh_l0
  local r = (a:narrow(-1, 1, H) + b:narrow(-1, 1, H)):sigmoid()
  local z = (a:narrow(-1, H + 1, H) + b:narrow(-1, H + 1, H)):sigmoid()
  local n = (a:narrow(-1, 2 * H + 1, H) + r * b:narrow(-1, 2 * H + 1, H)):tanh()
  return (1 - z) * n + z * h
end

describe("bugs that others shipped:", function()
  before_each(function() gru.manual_seed(11) end)

  it("mlx#3249: b_hn is skipped at the first step when there is no state", function()
    local rnn = nn.GRU(2, 3, {dtype = "float64"})
    local x = randn(4, 2, 2)
    local without, with = rnn(x), rnn(x, gru.zeros(1, 2, 3, {dtype = "float64"}))
    assert.is_true(without:equal(with))
    same(without[1], gru_step(rnn, x[1], gru.zeros(2, 3, {dtype = "float64"})))
  end)

  it("flax#5594: b_hn is missing", function()
    local rnn = nn.GRU(2, 3, {dtype = "float64"})
    local x = randn(3, 2, 2)
    local before = rnn(x):detach()
    local output = rnn(x)
    output:sum():backward()
    local db_hn = rnn.bias_hh_l0.grad:narrow(1, 7, 3)
    assert.is_true(db_hn:abs():min():item() > 1e-6)
    differ(db_hn, rnn.bias_ih_l0.grad:narrow(1, 7, 3)) -- r stands before it
    set(rnn.bias_hh_l0, function(b) return gru.cat({b:narrow(1, 1, 6), b:narrow(1, 7, 3) + 1}, 1) end)
    differ(rnn(x):detach(), before)
  end)

  it("haste#43: the mask of the first step is used for every step", function()
    -- Layer 1 gives 1 always, layer 2 copies its input: the output shows the mask.
    local rnn = nn.RNN(1, 40, {num_layers = 2, dropout = 0.5, nonlinearity = "relu", bias = true})
    for _, p in ipairs(rnn:parameters()) do set(p, function(v) return v * 0 end) end
    set(rnn.bias_ih_l0, function(v) return v + 1 end)
    set(rnn.weight_ih_l1, function() return gru.eye(40) end)
    local x = gru.zeros(6, 3, 1)
    local output, h_n = rnn(x)
    assert.is_true(output:eq(0):logical_or(output:eq(2)):all():item())
    for t = 2, 6 do assert.is_false(output[t]:equal(output[1])) end
    assert.is_false(output:select(2, 1):equal(output:select(2, 2)))
    assert.is_true(math.abs(output:mean():item() - 1) < 0.2)
    assert.is_false(rnn(x):equal(output))
    assert.is_true(h_n[1]:eq(1):all():item()) -- a state is never dropped
    assert.is_true(rnn:eval()(x):eq(1):all():item())
  end)

  it("haste#17, haste#31: gradients are zero or wrong", function()
    for _, class in ipairs {nn.RNN, nn.LSTM, nn.GRU} do
      local rnn = class(2, 3, {dtype = "float64"})
      local inputs = {randn(4, 2, 2):requires_grad_(), randn(1, 2, 3):requires_grad_()}
      local c_0 = randn(1, 2, 3)
      for _, p in ipairs(rnn:parameters()) do inputs[#inputs + 1] = p end
      local function f(x, h_0)
        return (rnn(x, rnn.pair and {h_0, c_0} or h_0))
      end
      assert(gru.autograd.gradcheck(f, inputs))
      f(table.unpack(inputs)):square():sum():backward()
      for _, x in ipairs(inputs) do assert.is_true(x.grad:abs():max():item() > 1e-6) end
    end
  end)

  it("mxnet#18203: weights of middle layers and dx of both directions have wrong gradients", function()
    local rnn = nn.GRU(2, 2, {num_layers = 3, bidirectional = true, dtype = "float64"})
    local inputs = {randn(3, 2, 2):requires_grad_()}
    for name, p in rnn:named_parameters() do
      if name:find "_l1" then inputs[#inputs + 1] = p end
    end
    assert.equal(9, #inputs)
    assert(gru.autograd.gradcheck(function(x) return (rnn(x)) end, inputs))
  end)

  it("onnxruntime#3893: the state is not cleared between calls", function()
    for _, class in ipairs {nn.RNN, nn.LSTM, nn.GRU} do
      local rnn = class(2, 3, {num_layers = 2, bidirectional = true})
      local x = gru.randn(5, 2, 2)
      local first = rnn(x)
      rnn(gru.randn(9, 4, 2) * 10)
      assert.is_true(rnn(x):equal(first))
    end
  end)

  it("burn#2704: only one step is right", function()
    local rnn = nn.GRU(2, 3, {dtype = "float64"})
    local x, h = randn(6, 2, 2), gru.zeros(2, 3, {dtype = "float64"})
    local output = rnn(x)
    for t = 1, 6 do
      h = gru_step(rnn, x[t], h)
      same(output[t], h)
    end
  end)

  it("pytorch#15788: no backward in eval mode, no double backward", function()
    for _, class in ipairs {nn.RNN, nn.LSTM, nn.GRU} do
      local rnn = class(2, 2, {dtype = "float64", num_layers = 2}):eval()
      local x = randn(2, 2, 2):requires_grad_()
      rnn(x):sum():backward()
      assert.is_true(x.grad:abs():max():item() > 1e-6)
      assert(gru.autograd.gradgradcheck(function(y) return (rnn(y)) end, {x}))
      -- a gradient penalty reaches the weights
      rnn:zero_grad()
      local dx = gru.autograd.grad(rnn(x):sum(), x, {create_graph = true})[1]
      dx:square():sum():backward()
      assert.is_true(rnn.weight_hh_l0.grad:abs():max():item() > 1e-9)
    end
  end)

  it("pytorch#147539: the output is taken for the state", function()
    local lstm = nn.LSTM(2, 3, {num_layers = 2, bidirectional = true, dtype = "float64"})
    local x = randn(4, 2, 2)
    local output, state = lstm(x)
    local h_n, c_n = state[1], state[2]
    same(h_n[3], output[4]:narrow(2, 1, 3)) -- last layer, forward: its last step
    same(h_n[4], output[1]:narrow(2, 4, 3)) -- reverse: its last step is the first
    differ(h_n, c_n)
    -- carried over, the halves of a sequence give the whole
    local rnn = nn.LSTM(2, 3, {num_layers = 2, dtype = "float64"})
    local whole, last = rnn(x)
    local a, carried = rnn(x:narrow(1, 1, 2))
    local b, after = rnn(x:narrow(1, 3, 2), carried)
    same(whole, gru.cat({a, b}, 1))
    same(last[1], after[1])
    same(last[2], after[2])
    -- the state of a short row is its own last step, not the last row of the output
    local short, h = nn.GRU(2, 3, {dtype = "float64"})(x, nil, {lengths = {2, 4}})
    same(h[1][1], short[2][1])
    assert.is_true(short[3][1]:eq(0):all():item())
  end)

  it("pytorch#4145: h_n follows batch_first", function()
    local rnn = nn.GRU(2, 3, {num_layers = 2, batch_first = true, dtype = "float64"})
    local other = nn.GRU(2, 3, {num_layers = 2, dtype = "float64"})
    other:load_state_dict(rnn:state_dict())
    local x, h_0 = randn(4, 5, 2), randn(2, 4, 3)
    local output, h_n = rnn(x, h_0)
    assert.same({4, 5, 3}, output.shape)
    assert.same({2, 4, 3}, h_n.shape)
    local plain, plain_h = other(x:transpose(1, 2), h_0)
    same(output, plain:transpose(1, 2))
    same(h_n, plain_h)
    assert.has_error(function() rnn(x, h_0:transpose(1, 2)) end)
  end)

  it("keras: biases are packed or added up in another order", function()
    local rnn = nn.GRU(1, 1, {dtype = "float64"})
    local x, h = gru.zeros(1, 1, 1, {dtype = "float64"}), gru.full({1, 1, 1}, 0.5, {dtype = "float64"})
    local function run(bias_ih, bias_hh)
      for _, p in ipairs(rnn:parameters()) do set(p, function(v) return v * 0 end) end
      local state = {bias_ih_l0 = bias_ih, bias_hh_l0 = bias_hh}
      for name, b in pairs(state) do set(rnn[name], function() return gru.tensor(b) end) end
      return rnn(x, h):item()
    end
    local function near(want, got) assert.is_true(math.abs(want - got) < 1e-12, got .. " " .. want) end
    local function sigmoid(v) return 1 / (1 + math.exp(-v)) end
    local function tanh(v) return 2 * sigmoid(2 * v) - 1 end
    local half = 0.5 * 0.5 -- z h with z = 1/2
    near(half, run({2.0, 0.0, 0.0}, {0.0, 0.0, 0.0})) -- r alone: nothing to reset
    near(0.5 * sigmoid(2), run({0.0, 2.0, 0.0}, {0.0, 0.0, 0.0})) -- z
    near(0.5 * sigmoid(2), run({0.0, 0.0, 0.0}, {0.0, 2.0, 0.0}))
    near(half + 0.5 * tanh(2), run({0.0, 0.0, 2.0}, {0.0, 0.0, 0.0})) -- n, outside r
    near(half + 0.5 * tanh(2 * 0.5), run({0.0, 0.0, 0.0}, {0.0, 0.0, 2.0})) -- n, inside r
    near(half + 0.5 * tanh(2 * sigmoid(1)), run({1.0, 0.0, 0.0}, {0.0, 0.0, 2.0}))
  end)

  it("rten#188: b_hn is folded into b_in", function()
    local rnn = nn.GRU(2, 3, {dtype = "float64"})
    local x = randn(4, 2, 2)
    local want = rnn(x):detach()
    local function fold(first, count) -- moves a part of bias_hh to bias_ih
      local part = gru.zeros(9, {dtype = "float64"})
      part:narrow(1, first, count):copy_(rnn.bias_hh_l0:detach():narrow(1, first, count))
      set(rnn.bias_ih_l0, function(b) return b + part end)
      set(rnn.bias_hh_l0, function(b) return b - part end)
    end
    fold(1, 6) -- r and z may be folded
    same(rnn(x), want)
    fold(7, 3)
    differ(rnn(x):detach(), want)
    -- with reset = "before" there is one bias a gate, and folding is right
    local before = nn.GRU(2, 3, {reset = "before", dtype = "float64"})
    rnn = before
    local kept = before(x):detach()
    fold(1, 9)
    same(before(x), kept)
  end)
end)
