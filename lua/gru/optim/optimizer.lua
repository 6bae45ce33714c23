--- What optimisers share: parameter groups, zero_grad, state_dict.
--
-- A subclass has `defaults` (option -> value), `check(group)`, which raises for a bad option, and
-- `update(p, g, state, group)`, one parameter's step; `state` is a table that starts out empty.
-- @module gru.optim.optimizer
local core = require "gru.core"

local Optimizer = {}
Optimizer.__index = Optimizer

--- A new kind of optimiser.
function Optimizer.extend(name, defaults)
  local class = setmetatable({name = name, defaults = defaults}, {
    __index = Optimizer,
    __call = function(class, params, options)
      local self = setmetatable({param_groups = {}, state = {}}, class)
      self:init(params, options or {})
      return self
    end,
  })
  class.__index = class
  return class
end

local function check_options(self, options)
  for key in pairs(options) do
    if key ~= "params" and self.defaults[key] == nil then
      error(("%s: unknown option '%s'"):format(self.name, tostring(key)), 5)
    end
  end
end

function Optimizer:init(params, options)
  if type(params) ~= "table" then
    error(("%s: a table of parameters or of groups expected, got %s"):format(self.name,
      core.is_tensor(params) and "one tensor" or type(params)), 4)
  end
  check_options(self, options)
  self.options = {}
  for key, value in pairs(self.defaults) do
    if options[key] ~= nil then value = options[key] end
    self.options[key] = value
  end
  if #params == 0 then error(self.name .. ": no parameters", 4) end
  if core.is_tensor(params[1]) then params = {{params = params}} end
  for _, group in ipairs(params) do self:add_param_group(group) end
end

--- Adds a group: `{params = {...}, lr = ...}`; options that it lacks are the optimiser's.
function Optimizer:add_param_group(group)
  if type(group) ~= "table" or type(group.params) ~= "table" then
    error(self.name .. ": a group is a table with `params`", 2)
  end
  check_options(self, group)
  local added, seen = {params = {}}, {}
  for key, value in pairs(self.options) do
    if group[key] ~= nil then value = group[key] end
    added[key] = value
  end
  for _, known in ipairs(self.param_groups) do
    for _, p in ipairs(known.params) do seen[p] = true end
  end
  for i, p in ipairs(group.params) do
    if not core.is_tensor(p) then
      error(("%s: parameter %d is a %s"):format(self.name, i, type(p)), 2)
    elseif not p.is_leaf then
      error(("%s: parameter %d is not a leaf; optimise what it was computed from")
        :format(self.name, i), 2)
    elseif seen[p] then
      error(("%s: parameter %d is there twice"):format(self.name, i), 2)
    end
    seen[p] = true
    added.params[i] = p
  end
  self:check(added)
  self.param_groups[#self.param_groups + 1] = added
end

--- One step for every parameter that has a gradient.
-- @tparam[opt] function closure computes the loss again and returns it
-- @return what the closure returned
function Optimizer:step(closure)
  local loss = closure and closure()
  local before = core.set_grad_enabled(false)
  local ok, message = pcall(function()
    for _, group in ipairs(self.param_groups) do
      for _, p in ipairs(group.params) do
        local g = p.grad
        if g then
          local state = self.state[p]
          if not state then
            state = {}
            self.state[p] = state
          end
          self:update(p, g, state, group)
        end
      end
    end
  end)
  core.set_grad_enabled(before)
  if not ok then error(message, 0) end
  return loss
end

--- Sets every gradient to nil, or to zeros with `{set_to_none = false}`.
function Optimizer:zero_grad(options)
  local keep = options and options.set_to_none == false
  for _, group in ipairs(self.param_groups) do
    for _, p in ipairs(group.params) do
      if not keep then
        p.grad = nil
      elseif p.grad then
        p.grad = p.grad:detach():fill_(0)
      end
    end
  end
end

--- The state as plain tables: `{state = {[i] = {...}}, param_groups = {{lr =, params = {i, ...}}}}`,
-- parameters numbered from 1 in the order of the groups.
function Optimizer:state_dict()
  local out, n = {state = {}, param_groups = {}}, 0
  for i, group in ipairs(self.param_groups) do
    local copy = {params = {}}
    for key, value in pairs(group) do
      if key ~= "params" then copy[key] = value end
    end
    for j, p in ipairs(group.params) do
      n = n + 1
      copy.params[j] = n
      if self.state[p] then
        out.state[n] = {}
        for key, value in pairs(self.state[p]) do out.state[n][key] = value end
      end
    end
    out.param_groups[i] = copy
  end
  return out
end

--- Takes over a state that `state_dict` gave; the groups must have the same sizes.
function Optimizer:load_state_dict(saved)
  if #saved.param_groups ~= #self.param_groups then
    error(("%s: load_state_dict: %d groups here, %d in the state"):format(self.name,
      #self.param_groups, #saved.param_groups), 2)
  end
  for i, group in ipairs(self.param_groups) do
    if #group.params ~= #saved.param_groups[i].params then
      error(("%s: load_state_dict: group %d has %d parameters here, %d in the state")
        :format(self.name, i, #group.params, #saved.param_groups[i].params), 2)
    end
  end
  self.state = {}
  for i, group in ipairs(self.param_groups) do
    local given = saved.param_groups[i]
    for key in pairs(self.options) do
      if given[key] ~= nil then group[key] = given[key] end
    end
    for j, p in ipairs(group.params) do
      local state = saved.state[given.params[j]]
      if state then
        self.state[p] = {}
        for key, value in pairs(state) do
          self.state[p][key] = core.is_tensor(value) and value:clone():to(p.device) or value
        end
      end
    end
  end
end

--- Raises unless the option is a number of at least `lowest`.
function Optimizer:want(group, name, lowest, below)
  local value = group[name]
  if type(value) ~= "number" or not (value >= lowest) or (below and not (value < below)) then
    error(("%s: %s must be %s, got %s"):format(self.name, name, below
      and ("in %g .. %g"):format(lowest, below) or (">= %g"):format(lowest), tostring(value)), 6)
  end
end

return Optimizer
