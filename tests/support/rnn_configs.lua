--- Configurations of RNN, LSTM and GRU, drawn at random, and their check against the naive reference.
local agree = require "tests.support.agree"
local gru = require "gru"
local nd = require "tests.support.nd"
local reference = require "tests.support.rnn_reference"

local nn = gru.nn
local configs = {}

-- Random numbers that are exact in float32, below 2 in magnitude; `scale` is a power of 2.
local function numbers(rng, n, scale)
  local list = {}
  for i = 1, n do list[i] = math.floor(rng() * 2049 - 1024) / 512 * (scale or 1) end
  return list
end

local function pick(rng, list) return list[math.floor(rng() * #list) + 1] end

local function up_to(rng, n) return math.floor(rng() * n) + 1 end

--- Draws a configuration.
-- @param rng
-- @param kind "RNN", "LSTM" or "GRU"
-- @param fixed what is not to be drawn, by name: I, H, T, B, layers ...; `scale` of the weights, 1 unless
-- given
function configs.draw(rng, kind, fixed)
  local c = {
    kind = kind, I = up_to(rng, 4), H = up_to(rng, 4), T = up_to(rng, 5), B = up_to(rng, 3),
    layers = pick(rng, {1, 1, 2, 3}), directions = pick(rng, {1, 2}), bias = rng() < 0.7,
    batch_first = rng() < 0.3, batched = rng() < 0.85, state = rng() < 0.6, eval = rng() < 0.3,
    reset = kind == "GRU" and pick(rng, {"after", "before"}) or nil,
    nonlinearity = kind == "RNN" and pick(rng, {"tanh", "relu"}) or nil,
  }
  for name, value in pairs(fixed or {}) do c[name] = value end
  if not c.batched then c.B, c.batch_first = 1, false end
  if c.batched and rng() < 0.3 then
    c.lengths = {}
    for b = 1, c.B do c.lengths[b] = up_to(rng, c.T) end
  end
  local rows = reference.gates[kind] * c.H
  c.weights = {}
  for layer = 1, c.layers do
    local inputs = layer == 1 and c.I or c.directions * c.H
    c.weights[layer] = {}
    for d = 1, c.directions do
      c.weights[layer][d] = {
        wi = numbers(rng, rows * inputs, c.scale), wh = numbers(rng, rows * c.H, c.scale),
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

local function check(c, dtype, want)
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

--- Forward and backward of a configuration in both dtypes, against the reference; raises where they differ.
function configs.check(c)
  local want = expect(c)
  check(c, "float64", want)
  check(c, "float32", want)
end

return configs
