--- An ordered map: what is registered in a module.
-- @module gru.nn.registry
local Registry = {}
Registry.__index = Registry

--- An empty one: `names` in the order of registration, `values` by name, and `passing`, the names that are
-- no part of the state.
function Registry.new() return setmetatable({names = {}, values = {}, passing = {}}, Registry) end

--- Puts a value under a name, at the end where the name is new; nil takes it out.
function Registry:set(name, value)
  if self.values[name] == nil and value ~= nil then
    self.names[#self.names + 1] = name
  elseif self.values[name] ~= nil and value == nil then
    for i, n in ipairs(self.names) do
      if n == name then table.remove(self.names, i) break end
    end
  end
  self.values[name] = value
end

--- Iterates over names and values.
function Registry:each()
  local i = 0
  return function()
    i = i + 1
    local name = self.names[i]
    if name then return name, self.values[name] end
  end
end

return Registry
