--- Something done to every tensor of a value.
-- @module gru.train.map
local core = require "gru.core"

--- f of a tensor; a new table with f of every tensor in a plain table and in those below; anything else
-- as it is.
-- @param value a recurrent state, a batch
-- @tparam function f
local function map(value, f)
  if core.is_tensor(value) then return f(value) end
  if type(value) ~= "table" or getmetatable(value) then return value end
  local out = {}
  for key, item in pairs(value) do out[key] = map(item, f) end
  return out
end

return map
