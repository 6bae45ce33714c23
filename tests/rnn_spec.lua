-- RNN, LSTM, GRU and their cells: against PyTorch, against a naive reference on thousands of random
-- configurations, against finite differences, and a test for every bug of the kind that other
-- systems shipped.
local agree = require "tests.support.agree"
local golden = require "tests.golden.layers"
local gru = require "gru"
local layer_cases = require "tests.support.layer_cases"
local nd = require "tests.support.nd"
local new_rng = require "tests.support.rng"
local reference = require "tests.support.rnn_reference"

local nn = gru.nn

describe("recurrent layers have PyTorch's results and gradients:", function()
  for title, test in layer_cases.each(golden.recurrent) do it(title, test) end
end)

-- ---- the naive reference ---------------------------------------------------------------------

-- Random numbers that are exact in float32.
local function numbers(rng, n)
  local list = {}
  for i = 1, n do list[i] = math.floor(rng() * 2049 - 1024) / 512 end
  return list
end

local function pick(rng, list) return list[math.floor(rng() * #list) + 1] end

local function random_config(rng, kind)
  local c = {
    kind = kind, I = math.floor(rng() * 4) + 1, H = math.floor(rng() * 4) + 1,
    T = math.floor(rng() * 5) + 1, B = math.floor(rng() * 3) + 1, layers = pick(rng, {1, 1, 2, 3}),
    directions = pick(rng, {1, 2}), bias = rng() < 0.7, batch_first = rng() < 0.3,
    batched = rng() < 0.85, state = rng() < 0.6, eval = rng() < 0.3,
    reset = kind == "GRU" and pick(rng, {"after", "before"}) or nil,
    nonlinearity = kind == "RNN" and pick(rng, {"tanh", "relu"}) or nil,
  }
  if not c.batched then c.B, c.batch_first = 1, false end
  if c.batched and rng() < 0.3 then
    c.lengths = {}
    for b = 1, c.B do c.lengths[b] = math.floor(rng() * c.T) + 1 end
  end
  local rows = reference.gates[kind] * c.H
  c.weights = {}
  for layer = 1, c.layers do
    local inputs = layer == 1 and c.I or c.directions * c.H
    c.weights[layer] = {}
    for d = 1, c.directions do
      c.weights[layer][d] = {
        wi = numbers(rng, rows * inputs), wh = numbers(rng, rows * c.H),
        bi = c.bias and numbers(rng, rows) or nil, bh = c.bias and numbers(rng, rows) or nil,
      }
    end
  end
  local states = c.layers * c.directions
  c.x = nd.new({c.T, c.B, c.I}, numbers(rng, c.T * c.B * c.I))
  for _, name in ipairs {"h", "c"} do
    c[name] = nd.new({states, c.B, c.H}, c.state and numbers(rng, states * c.B * c.H)
      or reference.zeros(states * c.B * c.H))
    c["d" .. name] = nd.new(c[name].shape, numbers(rng, states * c.B * c.H))
  end
  c.dout = nd.new({c.T, c.B, c.directions * c.H}, numbers(rng, c.T * c.B * c.directions * c.H))
  return c
end

-- Reads and writes a row of (n, B, width) arrays.
local function rows_of(a, b)
  local n, B, width, list = a.shape[1], a.shape[2], a.shape[3], {}
  for i = 1, n do
    local at = ((i - 1) * B + b - 1) * width
    list[i] = table.move(a.data, at + 1, at + width, 1, {})
  end
  return list
end

local function put_rows(a, b, list)
  local B, width = a.shape[2], a.shape[3]
  for i, row in ipairs(list) do table.move(row, 1, width, ((i - 1) * B + b - 1) * width + 1, a.data) end
end

local function blank(a) return nd.new(a.shape, reference.zeros(#a.data)) end

-- What the reference makes of a configuration.
local function expect(c)
  local r = {out = blank(c.dout), h_n = blank(c.h), c_n = blank(c.c), dx = blank(c.x),
             dh = blank(c.h), dc = blank(c.c), d = {}}
  for layer, list in ipairs(c.weights) do
    r.d[layer] = {}
    for k, p in ipairs(list) do
      r.d[layer][k] = {}
      for name, values in pairs(p) do r.d[layer][k][name] = reference.zeros(#values) end
    end
  end
  for b = 1, c.B do
    local T = c.lengths and c.lengths[b] or c.T
    local xs, dout = rows_of(c.x, b), rows_of(c.dout, b)
    local h, cell = rows_of(c.h, b), rows_of(c.c, b)
    local out, h_n, c_n, back = reference.row(c, table.move(xs, 1, T, 1, {}), h, cell)
    local dx, dh, dc = back(table.move(dout, 1, T, 1, {}), rows_of(c.dh, b),
      c.kind == "LSTM" and rows_of(c.dc, b), r.d)
    put_rows(r.out, b, out)
    put_rows(r.h_n, b, h_n)
    put_rows(r.c_n, b, c_n)
    put_rows(r.dx, b, dx)
    put_rows(r.dh, b, dh)
    put_rows(r.dc, b, dc)
  end
  return r
end

local function suffix(layer, direction)
  return "_l" .. layer - 1 .. (direction == 2 and "_reverse" or "")
end

local function make_module(c, dtype)
  local module = nn[c.kind](c.I, c.H, {
    num_layers = c.layers, bias = c.bias, batch_first = c.batch_first,
    bidirectional = c.directions == 2, reset = c.reset, nonlinearity = c.nonlinearity, dtype = dtype,
  })
  local state = {}
  for layer, list in ipairs(c.weights) do
    for k, p in ipairs(list) do
      for short, long in pairs {wi = "weight_ih", wh = "weight_hh", bi = "bias_ih", bh = "bias_hh"} do
        local name = long .. suffix(layer, k)
        local own = module[name]
        if own then state[name] = gru.tensor(p[short], {dtype = dtype}):reshape(own.shape) end
      end
    end
  end
  module:load_state_dict(state)
  return c.eval and module:eval() or module
end

local function describe_config(c)
  local text = {}
  for key, value in pairs(c) do
    if type(value) ~= "table" then text[#text + 1] = key .. "=" .. tostring(value) end
  end
  table.sort(text)
  return table.concat(text, " ") .. (c.lengths and " lengths=" .. table.concat(c.lengths, ",") or "")
end

local function compare(c, what, t, want, tol)
  local ok, message = agree.values(t, want, tol)
  if not ok then error(("%s: %s\n  %s"):format(what, message, describe_config(c)), 0) end
end

-- Arranges a (n, B, width) tensor as the configuration passes it, and back.
local function arrange(c, t)
  if not c.batched then return t:squeeze(2) end
  return t
end

local function leaf(a, dtype) return nd.tensor(a, dtype):requires_grad_() end

local function check_config(c, dtype, want)
  local module = make_module(c, dtype)
  local x, h, cell = leaf(c.x, dtype), leaf(c.h, dtype), leaf(c.c, dtype)
  local input, state = arrange(c, x), nil
  if c.batch_first then input = input:transpose(1, 2) end
  if c.state then
    state = arrange(c, h)
    if c.kind == "LSTM" then state = {state, arrange(c, cell)} end
  end
  local output, h_n = module(input, state, c.lengths and {lengths = c.lengths})
  local c_n
  if c.kind == "LSTM" then h_n, c_n = h_n[1], h_n[2] end
  if c.batch_first then output = output:transpose(1, 2) end
  if not c.batched then
    output, h_n, c_n = output:unsqueeze(2), h_n:unsqueeze(2), c_n and c_n:unsqueeze(2)
  end
  local forward, backward = agree.forward[dtype], agree.backward[dtype]
  compare(c, "output", output:detach(), want.out, forward)
  compare(c, "h_n", h_n:detach(), want.h_n, forward)
  if c_n then compare(c, "c_n", c_n:detach(), want.c_n, forward) end
  local total = (output * nd.tensor(c.dout, dtype)):sum() + (h_n * nd.tensor(c.dh, dtype)):sum()
  if c_n then total = total + (c_n * nd.tensor(c.dc, dtype)):sum() end
  total:backward()
  compare(c, "dx", x.grad, want.dx, backward)
  if c.state then
    compare(c, "dh_0", h.grad, want.dh, backward)
    if c_n then compare(c, "dc_0", cell.grad, want.dc, backward) end
  end
  for layer, list in ipairs(want.d) do
    for k, d in ipairs(list) do
      for short, long in pairs {wi = "weight_ih", wh = "weight_hh", bi = "bias_ih", bh = "bias_hh"} do
        local p = module[long .. suffix(layer, k)]
        if p then compare(c, "d" .. long .. suffix(layer, k), p.grad, nd.new(p.shape, d[short]), backward) end
      end
    end
  end
end

describe("a naive reference, element by element, agrees with", function()
  for _, row in ipairs {{"RNN", 1000}, {"LSTM", 1000}, {"GRU", 1200}} do
    local kind, count = row[1], row[2]
    for part = 1, 4 do
      it(("%s: %d random configurations, forward and backward (%d)"):format(kind, count // 4, part),
        function()
          local rng = new_rng(part * 1000 + #kind * 17 + count)
          for _ = 1, count // 4 do
            local c = random_config(rng, kind)
            local want = expect(c)
            check_config(c, "float64", want)
            check_config(c, "float32", want)
          end
        end)
    end
  end
end)

-- ---- cells, differences --------------------------------------------------------------------------

local kinds = {
  {"RNN", {}}, {"RNN", {nonlinearity = "relu"}}, {"LSTM", {}}, {"GRU", {}}, {"GRU", {reset = "before"}},
}

local function title(kind) return kind[1] .. (kind[2].nonlinearity or kind[2].reset or "") end

local function with(options, more)
  local all = {dtype = "float64"}
  for _, list in ipairs {options, more or {}} do
    for k, v in pairs(list) do all[k] = v end
  end
  return all
end

local function same(a, b, tol) assert.is_true(agree.tensors(a, b, tol or 1e-12)) end

describe("a cell, called step after step, is the layer:", function()
  for _, kind in ipairs(kinds) do
    for _, bias in ipairs {true, false} do
      it(("%s, bias %s"):format(title(kind), tostring(bias)), function()
        gru.manual_seed(5)
        local layer = nn[kind[1]](3, 7, with(kind[2], {bias = bias}))
        local cell = nn[kind[1] .. "Cell"](3, 7, with(kind[2], {bias = bias}))
        local state = {}
        for name, p in layer:named_parameters() do state[(name:gsub("_l0$", ""))] = p:detach() end
        cell:load_state_dict(state)
        local x = gru.randn(5, 37, 3, {dtype = "float64", requires_grad = true})
        local y = x:detach():clone():requires_grad_()
        local output, last = layer(x)
        local h, c, steps = nil, nil, {}
        for t = 1, 5 do
          if kind[1] == "LSTM" then h, c = cell(y[t], h and {h, c}) else h = cell(y[t], h) end
          steps[t] = h
        end
        same(output:detach(), gru.stack(steps, 1):detach())
        same((c and last[1] or last)[1]:detach(), h:detach())
        if c then same(last[2][1]:detach(), c:detach()) end
        output:square():sum():backward()
        gru.stack(steps, 1):square():sum():backward()
        same(x.grad, y.grad)
        for name, p in cell:named_parameters() do same(layer[name .. "_l0"].grad, p.grad) end
      end)
    end
  end

  it("takes one example without a batch", function()
    local cell = nn.LSTMCell(3, 2)
    local x = gru.randn(3)
    local h, c = cell(x)
    assert.same({2}, h.shape)
    local h2, c2 = cell(x:unsqueeze(1), {gru.zeros(1, 2), gru.zeros(1, 2)})
    assert.is_true(h:equal(h2[1]))
    assert.is_true(c:equal(c2[1]))
  end)
end)

describe("finite differences agree with backward, once and twice:", function()
  for _, kind in ipairs(kinds) do
    for _, more in ipairs {
      {}, {bias = false}, {bidirectional = true}, {num_layers = 2}, {batch_first = true},
      {num_layers = 2, bidirectional = true},
    } do
      local options = with(kind[2], more)
      it(title(kind) .. " " .. tostring(nn[kind[1]](2, 2, options)), function()
        gru.manual_seed(7)
        local layer = nn[kind[1]](2, 2, options)
        local inputs = {gru.randn(2, 2, 2, {dtype = "float64", requires_grad = true})}
        for _, p in ipairs(layer:parameters()) do inputs[#inputs + 1] = p end
        local function f(x)
          local output, h = layer(x, nil, {lengths = {2, 1}})
          h = type(h) == "table" and h[2] or h
          return gru.cat({output:reshape(-1), h:reshape(-1)}, 1)
        end
        assert(gru.autograd.gradcheck(f, inputs))
        if not (more.num_layers and more.bidirectional) then
          assert(gru.autograd.gradgradcheck(f, inputs))
        end
      end)
    end
  end
end)

-- ---- arguments ---------------------------------------------------------------------------------------

describe("recurrent layers", function()
  local x = gru.zeros(3, 2, 4)

  it("have PyTorch's keys, in PyTorch's order", function()
    local names = {}
    for name in nn.LSTM(2, 3, {num_layers = 2, bidirectional = true}):named_parameters() do
      names[#names + 1] = name
    end
    local want = {}
    for layer = 0, 1 do
      for _, s in ipairs {"", "_reverse"} do
        for _, n in ipairs {"weight_ih", "weight_hh", "bias_ih", "bias_hh"} do
          want[#want + 1] = n .. "_l" .. layer .. s
        end
      end
    end
    assert.same(want, names)
  end)

  it("print as in PyTorch", function()
    assert.equal("RNN(4, 3, nonlinearity=\"relu\")", tostring(nn.RNN(4, 3, {nonlinearity = "relu"})))
    assert.equal("LSTM(4, 3, num_layers=2, batch_first=true)",
      tostring(nn.LSTM{input_size = 4, hidden_size = 3, num_layers = 2, batch_first = true}))
    assert.equal("GRU(4, 3, bias=false, bidirectional=true)",
      tostring(nn.GRU(4, 3, {bias = false, bidirectional = true})))
    assert.equal("GRUCell(4, 3)", tostring(nn.GRUCell(4, 3)))
  end)

  it("take the options in place of the state", function()
    local rnn = nn.GRU(4, 3)
    local a = rnn(x, {lengths = {1, 3}})
    local b = rnn(x, nil, {lengths = gru.tensor {1, 3}})
    assert.is_true(a:equal(b))
    local lstm = nn.LSTM(4, 3)
    local _, state = lstm(x, {lengths = {1, 3}})
    assert.same({1, 2, 3}, state[2].shape)
  end)

  it("do not look at what stands beyond a length", function()
    for _, class in ipairs {nn.RNN, nn.LSTM, nn.GRU} do
      local rnn = class(2, 3, {num_layers = 2, bidirectional = true})
      local a = gru.randn(4, 2, 2)
      local b = a:clone()
      a[4][1]:fill_(0 / 0)
      a[3][1]:fill_(math.huge)
      b[4][1]:fill_(3)
      local results = {}
      for i, input in ipairs {a, b} do
        rnn:zero_grad()
        input:requires_grad_()
        local output = rnn(input, nil, {lengths = {2, 4}})
        output:sum():backward()
        results[i] = {output:detach(), input.grad}
        for _, p in ipairs(rnn:parameters()) do table.insert(results[i], p.grad) end
      end
      for i, r in ipairs(results[1]) do
        assert.is_true(r:isfinite():all():item())
        assert.is_true(r:equal(results[2][i]))
      end
      assert.same({0, 0}, a.grad[3][1]:totable())
    end
  end)

  it("take one-hot input as they take numbers, with the same gradients", function()
    for _, class in ipairs {nn.RNN, nn.LSTM, nn.GRU} do
      local rnn = class(5, 3, {dtype = "float64", num_layers = 2, bidirectional = true})
      local ids = gru.tensor {{1, 5}, {2, 2}, {4, 1}}
      local hot = gru.one_hot(ids, 5)
      local a = rnn(hot)
      a:square():sum():backward()
      local kept = {}
      for name, p in rnn:named_parameters() do kept[name] = p.grad end
      rnn:zero_grad()
      local b = rnn(hot:to("float64") + 0)
      b:square():sum():backward()
      same(a:detach(), b:detach())
      for name, p in rnn:named_parameters() do same(kept[name], p.grad) end
    end
  end)

  -- what is called, what the message says
  local bad = {
    {function() nn.RNN(0, 3) end, "RNN: input_size must be a positive integer, got 0"},
    {function() nn.LSTM(3, 2.5) end, "LSTM: hidden_size must be a positive integer, got 2.5"},
    {function() nn.GRU(3, 2, {num_layers = 0}) end, "GRU: num_layers must be a positive integer, got 0"},
    {function() nn.GRU(3, 2, 2) end, "GRU: options must be a table, got number; write {num_layers = 2}"},
    {function() nn.GRU(3, 2, {layers = 2}) end, "GRU: unknown option 'layers'"},
    {function() nn.LSTM(3, 2, {reset = "after"}) end, "LSTM: unknown option 'reset'"},
    {function() nn.GRU(3, 2, {reset = "during"}) end,
     'GRU: reset must be "after" or "before", got during'},
    {function() nn.RNN(3, 2, {nonlinearity = "elu"}) end,
     'RNN: nonlinearity must be "tanh" or "relu", got elu'},
    {function() nn.LSTM(3, 2, {dropout = 2}) end, "LSTM: dropout must be in 0 .. 1, got 2"},
    {function() nn.LSTM(4, 3)(1) end, "LSTM: an input tensor expected, got number"},
    {function() nn.LSTM(4, 3)(gru.zeros(4)) end, "LSTM: input must have 2 or 3 dims, got [4]"},
    {function() nn.LSTM(5, 3)(x) end, "LSTM: input [3, 2, 4] ends with 4, input_size is 5"},
    {function() nn.GRU(4, 3)(gru.zeros(0, 2, 4)) end, "GRU: a sequence of no steps"},
    {function() nn.GRU(4, 3)(x, gru.zeros(2, 3)) end,
     "GRU: h_0 must be [1, 2, 3], got [2, 3]; batch_first does not change it"},
    {function() nn.GRU(4, 3)(x[1], gru.zeros(1, 2, 3)) end,
     "GRU: h_0 must be [1, 3] for an input without a batch, got [1, 2, 3]"},
    {function() nn.LSTM(4, 3)(x, gru.zeros(1, 2, 3)) end,
     "LSTM: the state must be a pair {h_0, c_0} of tensors, got one tensor"},
    {function() nn.LSTM(4, 3)(x, {gru.zeros(1, 2, 3), gru.zeros(2, 2, 3)}) end,
     "LSTM: c_0 must be [1, 2, 3], got [2, 2, 3]; batch_first does not change it"},
    {function() nn.GRU(4, 3)(x, "zeros") end, "GRU: h_0 must be a tensor, got string"},
    {function() nn.GRU(4, 3)(x, nil, {length = 2}) end, "GRU: unknown option 'length'"},
    {function() nn.GRU(4, 3)(x, nil, {lengths = {1}}) end, "GRU: lengths must name 2 rows, got 1"},
    {function() nn.GRU(4, 3)(x, nil, {lengths = {1, 4}}) end,
     "GRU: lengths[2] must be in 1 .. 3, got 4"},
    {function() nn.GRUCell(4, 3)(gru.zeros(2, 5)) end,
     "GRUCell: input [2, 5] ends with 5, input_size is 4"},
    {function() nn.GRUCell(4, 3)(gru.zeros(2, 4), gru.zeros(1, 3)) end,
     "GRUCell: h must be [2, 3], got [1, 3]"},
    {function() nn.LSTMCell(4, 3)(gru.zeros(2, 4), gru.zeros(2, 3)) end,
     "LSTMCell: the state must be a pair {h, c}, got one tensor"},
    {function() nn.RNNCell(4, 3, {dropout = 1}) end, "RNNCell: unknown option 'dropout'"},
  }
  for _, row in ipairs(bad) do
    it("say: " .. row[2], function()
      local ok, message = pcall(row[1])
      assert.is_false(ok)
      assert.truthy(message:find(row[2], 1, true), message)
      assert.truthy(message:find("tests/rnn_spec.lua", 1, true), message)
    end)
  end
end)
