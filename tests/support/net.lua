--- The module that the specs of nn.Module share, and the names in a table.
local gru = require "gru"

local nn = gru.nn

-- The keys of a table, sorted, with spaces between.
local function keys(t)
  local list = {}
  for key in pairs(t) do list[#list + 1] = key end
  table.sort(list)
  return table.concat(list, " ")
end

-- A module of tests/golden/nn.py, with a shared layer and a shared weight.
local Net = nn.Module:extend("Net")

function Net:init()
  self.rnn = nn.GRU(2, 3, {num_layers = 2, bidirectional = true})
  self.inner = nn.Module()
  self.inner.first = nn.Linear(6, 2)
  self.inner.second = nn.Linear(2, 2, {bias = false})
  self.dense = nn.Linear(2, 4)
  self:register_buffer("mean", gru.zeros(2))
  self.inner:register_buffer("count", gru.zeros({}))
  self.tied = self.dense
  self.shared = self.inner.first.weight
end

function Net:forward(x)
  local output = self.rnn(x)
  return self.dense(self.inner.second(self.inner.first(output)))
end

return {Net = Net, keys = keys}
