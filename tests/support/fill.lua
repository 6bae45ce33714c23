--- Filling recurrent layers and tensors with numbers, and comparing them: for the specs of nn.GRU.
local gru = require "gru"
local agree = require "tests.support.agree"
local nd = require "tests.support.nd"

local function same(t, expected, tol)
  local ok, message = agree.values(t, expected, tol)
  assert(ok, message)
end

local function equal(a, b)
  local ok, message = agree.tensors(a, b)
  assert(ok, message)
end

--- Fills the parameters, in order, from `value(parameter)`, an array of its shape.
local function fill(rnn, value)
  local _ <close> = gru.no_grad()
  for _, p in ipairs(rnn:parameters()) do
    p:copy_(nd.tensor(value(p), p.dtype))
  end
end

-- Three times U(-1/2, 1/2): gates far enough from 0.5 to tell them apart.
local function fill_random(rnn, draw)
  fill(rnn, function(p) return nd.generate(p.shape, function() return 3 * draw() - 1.5 end) end)
end

local function random_tensor(draw, dtype, ...)
  return nd.tensor(nd.generate({...}, function() return draw(-1, 1) end), dtype)
end

return {same = same, equal = equal, fill = fill, fill_random = fill_random, random_tensor = random_tensor}
