--- Layers without parameters: Identity, Dropout, Flatten.
-- @module gru.nn.simple
local functional = require "gru.nn.functional"
local module = require "gru.nn.module"
local ops = require("gru.tensor").functions

--- Gives its input; the arguments are ignored, so that it can stand in for another layer.
-- @function Identity
local Identity = module.Module:extend("Identity")

function Identity:init() end -- takes anything

function Identity:forward(x) return x end

--- In training, zeroes each element with probability p and divides the others by 1 - p; in eval mode
-- gives its input.
-- @function Dropout
-- @tparam[opt=0.5] number p
-- @usage nn.Dropout(0.2)
local Dropout = module.Module:extend("Dropout")

function Dropout:init(p)
  if type(p) == "table" then
    for key in pairs(p) do
      if key ~= "p" then error(("Dropout: unknown option '%s'"):format(tostring(key)), 3) end
    end
    p = p.p
  end
  self.p = p == nil and 0.5 or p
  if type(self.p) ~= "number" or not (self.p >= 0 and self.p <= 1) then
    error(("Dropout: p must be in 0 .. 1, got %s"):format(tostring(self.p)), 3)
  end
end

function Dropout:forward(x) return functional.dropout(x, self.p, self.training) end

function Dropout:extra_repr() return "p=" .. tostring(self.p) end

--- Merges the dims start_dim .. end_dim into one.
-- @function Flatten
-- @tparam[opt=2] integer start_dim from 1 on: the second, as PyTorch's 1 is
-- @tparam[opt=-1] integer end_dim
-- @usage nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
local Flatten = module.Module:extend("Flatten")

function Flatten:init(start_dim, end_dim)
  if type(start_dim) == "table" then
    for key in pairs(start_dim) do
      if key ~= "start_dim" and key ~= "end_dim" then
        error(("Flatten: unknown option '%s'"):format(tostring(key)), 3)
      end
    end
    start_dim, end_dim = start_dim.start_dim, start_dim.end_dim
  end
  self.start_dim, self.end_dim = start_dim or 2, end_dim or -1
  for _, name in ipairs {"start_dim", "end_dim"} do
    if math.type(self[name]) ~= "integer" or self[name] == 0 then
      error(("Flatten: %s must be a dim, from 1 or from -1 on, got %s"):format(name,
        tostring(self[name])), 3)
    end
  end
end

function Flatten:forward(x) return ops.flatten(x, self.start_dim, self.end_dim) end

function Flatten:extra_repr()
  return ("start_dim=%d, end_dim=%d"):format(self.start_dim, self.end_dim)
end

return {Identity = Identity, Dropout = Dropout, Flatten = Flatten}
