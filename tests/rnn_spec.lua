-- RNN, LSTM, GRU and their cells: against PyTorch, against a naive reference on thousands of random
-- configurations, against finite differences.  Bugs that other systems shipped: rnn_bugs_spec.lua.
local agree = require "tests.support.agree"
local configs = require "tests.support.rnn_configs"
local golden = require "tests.golden.layers"
local gru = require "gru"
local layer_cases = require "tests.support.layer_cases"
local new_rng = require "tests.support.rng"
local devices = require "tests.support.devices"
local describe = devices.describe

local nn = gru.nn

describe("recurrent layers have PyTorch's results and gradients:", function()
  for title, test in layer_cases.each(golden.recurrent) do it(title, test) end
end)

describe("a naive reference, element by element, agrees with", function()
  for _, row in ipairs {{"RNN", 1000}, {"LSTM", 1000}, {"GRU", 1200}} do
    local kind, count = row[1], devices.share(row[2], 100)
    for part = 1, 4 do
      it(("%s: %d random configurations, forward and backward (%d)"):format(kind, count // 4, part),
        function()
          local rng = new_rng(part * 1000 + #kind * 17 + count)
          for _ = 1, count // 4 do configs.check(configs.draw(rng, kind)) end
        end)
    end
  end

  -- Sizes at which the walk through time is cut into vectors, panels and blocks of rows in other ways.
  local wide = {
    {name = "vectors and a rest", H = 21, B = 7, T = 6, I = 9, layers = 1, batched = true},
    {name = "whole panels", H = 64, B = 8, T = 4, layers = 1, batched = true},
    {name = "panels and a rest", H = 67, B = 13, T = 4, layers = 1, batched = true},
    {name = "many rows", H = 5, B = 70, T = 4, layers = 2, batched = true},
    {name = "few steps", H = 37, B = 9, T = 2, layers = 1, batched = true},
    {name = "few rows of a wide layer", H = 512, B = 2, T = 3, layers = 1, directions = 1, batched = true},
    {name = "many steps", H = 3, B = 2, T = 70, layers = 1, batched = true},
  }
  for _, case in ipairs(wide) do
    for _, kind in ipairs {"RNN", "LSTM", "GRU"} do
      for _, reset in ipairs(kind == "GRU" and {"after", "before"} or {false}) do
        it(("%s%s: %s"):format(kind, reset and " " .. reset or "", case.name), function()
          local fixed = {scale = 1 / 16, reset = reset or nil}
          for name, value in pairs(case) do fixed[name] = value end
          for seed = 1, case.H < 512 and 3 or 1 do configs.check(configs.draw(new_rng(seed), kind, fixed)) end
        end)
      end
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
