--- What optimisers share: parameter groups, zero_grad, state_dict.
--
-- A subclass has `defaults` (option -> value), `check(group)`, which returns what is wrong with the
-- options of a group, or nil, and `update(p, g, state, group, rate)`, one parameter's step; `state` is a
-- table that starts out empty.  In place of `update` it may have `update_all(list, group)`, the step of
-- all of {p, g, state} in the list; where `list.scale` is a tensor, the gradients count times it.  Both run
-- under `no_grad` and change no gradient.
--
-- A CUDA graph may repeat the steps of a class that has `rate(state, group)`: the only number in `update`
-- that changes from step to step beside `state.step`, which counts them.  There, `rate` is a tensor
-- without dims.  A class with `update_all` has instead `form(group)`, on which it depends what a step does,
-- and `replay(capture, step)`, which sets what the repeated step needs anew and moves the states on, as
-- `update_all` would; see Capture.
-- @module gru.optim.optimizer
local args = require "gru.args"
local core = require "gru.core"
local mode = require "gru.mode"
local recording = require "gru.graph.recording"

local Optimizer = {}
Optimizer.__index = Optimizer

-- An option's value, never shared between optimisers.
local function copy_of(value)
  return type(value) == "table" and {table.unpack(value)} or value
end

--- A new kind of optimiser.
function Optimizer.extend(name, defaults)
  if type(name) ~= "string" or type(defaults) ~= "table" then
    error("Optimizer.extend: a name and a table of defaults expected, got "
      .. type(type(name) == "string" and defaults or name), 2)
  end
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

-- What is wrong with the names of options, or nil.  `extra` is a set of other names.
local function wrong_names(self, options, extra)
  for key in pairs(options) do
    if self.defaults[key] == nil and not extra[key] then
      local names = {}
      for name in pairs(self.defaults) do names[#names + 1] = name end
      table.sort(names)
      return ("unknown option '%s'; there are: %s"):format(tostring(key), table.concat(names, ", "))
    end
  end
end

-- What is wrong with the values of a group's options, or nil.
local function wrong_values(self, group)
  for key, default in pairs(self.defaults) do
    if type(default) == "boolean" and type(group[key]) ~= "boolean" then
      return ("%s must be true or false, got %s"):format(key, tostring(group[key]))
    end
  end
  local problem = group.initial_lr ~= nil and self.wrong("initial_lr", group.initial_lr, 0)
  return problem or self:check(group)
end

-- A group may name its rate before any scheduler, for schedulers that resume with `last_epoch`.
local OF_GROUPS, NONE = {params = true, initial_lr = true}, {}

local function check_params(self, params, level)
  local seen = {}
  for _, group in ipairs(self.param_groups) do
    for _, p in ipairs(group.params) do seen[p] = true end
  end
  for i, p in ipairs(params) do
    local problem = nil
    if not core.is_tensor(p) then
      problem = "is a " .. type(p)
    elseif p.dtype ~= "float32" and p.dtype ~= "float64" then
      problem = "is " .. p.dtype .. ", which has no gradient"
    elseif not p.is_leaf then
      problem = "is not a leaf; optimise what it was computed from"
    elseif seen[p] then
      problem = "is there twice"
    end
    if problem then error(("%s: parameter %d %s"):format(self.name, i, problem), level) end
    seen[p] = true
  end
end

-- `level` is that of who gave the group, for errors.
local function add_group(self, group, level)
  if type(group) ~= "table" or type(group.params) ~= "table" then
    error(("%s: a tensor or a group, {params = {...}}, expected, got %s"):format(self.name,
      type(group) == "table" and "a table without params" or type(group)), level)
  end
  local problem = wrong_names(self, group, OF_GROUPS)
  if problem then error(self.name .. ": " .. problem, level) end
  check_params(self, group.params, level + 1)
  local added = {params = {table.unpack(group.params)}, initial_lr = group.initial_lr}
  for key, value in pairs(self.options) do
    if group[key] ~= nil then value = group[key] end
    added[key] = copy_of(value)
  end
  problem = wrong_values(self, added)
  if problem then error(self.name .. ": " .. problem, level) end
  self.param_groups[#self.param_groups + 1] = added
end

function Optimizer:init(params, options)
  if type(params) ~= "table" then
    error(("%s: a table of parameters or of groups expected, got %s"):format(self.name,
      core.is_tensor(params) and "one tensor" or type(params)), 3)
  elseif type(options) ~= "table" then
    error(("%s: options must be a table, {lr = ...}, got %s"):format(self.name, type(options)), 3)
  end
  local problem = wrong_names(self, options, NONE)
  if problem then error(self.name .. ": " .. problem, 3) end
  self.options = {}
  for key, value in pairs(self.defaults) do
    if options[key] ~= nil then value = options[key] end
    self.options[key] = copy_of(value)
  end
  if params.params then params = {params} end
  if #params == 0 then error(self.name .. ": no parameters", 3) end
  if core.is_tensor(params[1]) then params = {{params = params}} end
  for _, group in ipairs(params) do add_group(self, group, 4) end
end

--- Adds a group: `{params = {...}, lr = ...}`; options that it lacks are the optimiser's.
function Optimizer:add_param_group(group)
  add_group(self, group, 3)
end

local FLOATS = {float32 = true, float64 = true}

-- The state of a parameter, where the parameter is now: nn.Module:to may have moved it.
local function state_of(self, p)
  local state = self.state[p]
  if not state then
    state = {}
    self.state[p] = state
  end
  local dtype, device = p.dtype, p.device
  for key, value in pairs(state) do
    if core.is_tensor(value) and FLOATS[value.dtype] and (value.dtype ~= dtype or value.device ~= device) then
      state[key] = core.keep(value:to(p))
    end
  end
  return state
end

--- One step for every parameter that has a gradient.
-- @tparam[opt] function closure computes the loss again and returns it
-- @tparam[opt] table options `grad_scale` (nil): a 0-d tensor on the device of the parameters; the step is
-- that of the gradients times it, which stay as they are
-- @return what the closure returned
function Optimizer:step(closure, options)
  if closure ~= nil and type(closure) ~= "function" then
    error(("%s: step: a function or nothing expected, got %s"):format(self.name, type(closure)), 2)
  end
  local scale = args.options(self.name .. ": step", options, {grad_scale = true}).grad_scale
  if scale ~= nil and not (core.is_tensor(scale) and scale:dim() == 0) then
    error(("%s: step: grad_scale must be a tensor without dims, got %s"):format(self.name,
      core.is_tensor(scale) and ("one of %d dims"):format(scale:dim()) or type(scale)), 2)
  end
  local loss = closure and mode.enable_grad(closure)
  local _ <close> = mode.no_grad()
  for _, group in ipairs(self.param_groups) do
    local list = {scale = scale}
    for _, p in ipairs(group.params) do
      local g = p.grad
      if g then list[#list + 1] = {p, g, state_of(self, p)} end
    end
    if recording.current then
      recording.current:step(self, list, group)
    else
      self:update_all(list, group)
    end
  end
  return loss
end

--- The step of the parameters of a group that have a gradient, one after the other.
-- @tparam table list of {p, g, state}
-- @tparam table group
-- @tparam[opt] table rates what `rates` gave, in place of numbers
function Optimizer:update_all(list, group, rates)
  for i, item in ipairs(list) do
    local state = item[3]
    local rate = rates and rates[i].tensor or self.rate and self.rate(state, group)
    local g = list.scale and item[2] * list.scale or item[2]
    self:update(item[1], g, state, group, rate)
  end
end

-- ---- steps in graphs ---------------------------------------------------------------------------------

--- Can a graph repeat its steps?
function Optimizer:repeats() return self.rate ~= nil or self.replay ~= Optimizer.replay end

--- The options of a group but its rate, as text: a step with others is another one.
function Optimizer:form(group)
  local parts = {}
  for key in pairs(self.defaults) do
    if key ~= "lr" then parts[#parts + 1] = ("%s=%s"):format(key, tostring(group[key])) end
  end
  table.sort(parts)
  return table.concat(parts, " ")
end

-- Where graphs read the rates of p: a tensor for each step of p that they repeat, made before they are
-- captured, as all else that they find from outside.
local function places_of(self, p)
  self.places = self.places or setmetatable({}, {__mode = "k"})
  local places = self.places[p]
  if not places or places.dtype ~= p.dtype or places.device ~= p.device then
    places = {dtype = p.dtype, device = p.device}
    self.places[p] = places
  end
  return places
end

--- Where graphs read the rates of a step.
-- @tparam table list of {p, g, state}
-- @tparam table counts how many steps of p there were before in what is captured; moved on
-- @treturn table a list of {tensor =, value = what it holds}
function Optimizer:rates(list, counts)
  local rates = {}
  for i, item in ipairs(list) do
    local p = item[1]
    local places, n = places_of(self, p), (counts[p] or 0) + 1
    places[n], counts[p] = places[n] or {tensor = self.empty(p, {})}, n
    rates[i] = places[n]
  end
  return rates
end

--- The rates of a step that a graph is to repeat: those that have changed go to the device.
-- @tparam table rates what `rates` gave
-- @tparam table values numbers
function Optimizer.set_rates(rates, values)
  for i, rate in ipairs(rates) do
    if rate.value ~= values[i] then
      rate.value = values[i]
      rate.tensor:fill_(values[i])
    end
  end
end

--- The next step by a graph.
function Optimizer:replay(_, step)
  local values = {}
  for i, item in ipairs(step.list) do
    local state = item[3]
    values[i] = self.rate(state, step.group)
    state.step = state.step + 1
  end
  self.set_rates(step.rates, values)
end

--- Sets every gradient to nil, or to zeros with `{set_to_none = false}`.
function Optimizer:zero_grad(options)
  options = args.options(self.name .. ": zero_grad", options, {set_to_none = true})
  local keep = options.set_to_none == false
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
      if key ~= "params" then copy[key] = copy_of(value) end
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

local function same_shape(a, b)
  if a:dim() ~= b:dim() then return false end
  for d = 1, a:dim() do
    if a:size(d) ~= b:size(d) then return false end
  end
  return true
end

-- A value of a saved state for the parameter p: its own copy.
local function adopted(key, value, p)
  if not core.is_tensor(value) then return value end
  if key == "step" then return math.tointeger(value:item()) end
  local own = value:detach()
  local moved = own:to(p)
  return core.keep(moved == own and own:clone() or moved)
end

-- What is wrong with a saved state for these groups, or nil.
local function wrong_state(self, saved)
  local fits = type(saved) == "table" and type(saved.state) == "table"
  if not fits or type(saved.param_groups) ~= "table" then
    return "what state_dict gave expected, {state = ..., param_groups = ...}"
  elseif #saved.param_groups ~= #self.param_groups then
    return ("%d groups here, %d in the state"):format(#self.param_groups, #saved.param_groups)
  end
  for i, group in ipairs(self.param_groups) do
    local given = saved.param_groups[i]
    local numbers = type(given) == "table" and given.params
    if type(numbers) ~= "table" then return ("group %d has no params in the state"):format(i) end
    if #group.params ~= #numbers then
      return ("group %d has %d parameters here, %d in the state"):format(i, #group.params, #numbers)
    end
    for j, p in ipairs(group.params) do
      local state = saved.state[numbers[j]]
      if state ~= nil and type(state) ~= "table" then
        return ("the state of parameter %d is a %s"):format(j, type(state))
      end
      for key, value in pairs(state or {}) do
        if core.is_tensor(value) and key ~= "step" and not same_shape(p, value) then
          return ("%s of parameter %d has the shape [%s], the parameter [%s]"):format(key, j,
            table.concat(value.shape, ", "), table.concat(p.shape, ", "))
        end
      end
    end
  end
end

-- The group's options as they are, under those of `given`.
local function merged(self, group, given)
  local new = {params = group.params}
  for key in pairs(self.options) do new[key] = group[key] end
  for key, value in pairs(given) do
    if key ~= "params" then new[key] = copy_of(value) end
  end
  return new
end

--- Takes over a state that `state_dict` gave; the groups must have the same sizes.  State takes the
-- dtype and the device of its parameter.  Nothing is changed where the state does not fit.
-- @tparam table saved what `state_dict` gave, here or (`step` as a tensor, more options) in PyTorch
function Optimizer:load_state_dict(saved)
  local problem, groups = wrong_state(self, saved), {}
  for i, group in ipairs(not problem and self.param_groups or {}) do
    groups[i] = merged(self, group, saved.param_groups[i])
    problem = problem or wrong_values(self, groups[i])
  end
  if problem then error(("%s: load_state_dict: %s"):format(self.name, problem), 2) end
  self.state = {}
  for i, group in ipairs(self.param_groups) do
    for j, p in ipairs(group.params) do
      local state = saved.state[saved.param_groups[i].params[j]]
      if state then
        self.state[p] = {}
        for key, value in pairs(state) do self.state[p][key] = adopted(key, value, p) end
      end
    end
    for key in pairs(group) do group[key] = nil end
    for key, value in pairs(groups[i]) do group[key] = value end
  end
end

--- New state in the shape of the parameter p, or another one, undefined.  State outlives a gru.scope around
-- the step.
function Optimizer.empty(p, shape)
  if core.graph_capturing() then
    core.graph_refuse("an optimiser makes a new state; that is done at the first step of a parameter, before")
  end
  return core.keep(core.empty(shape or p.shape, p.dtype, p.device))
end

--- New state: zeros in the shape of the parameter p.
function Optimizer.zeros(p) return Optimizer.empty(p):fill_(0) end

--- The gradient to descend along: g, or -g where the group maximises, plus weight_decay p.  May be
-- g itself.
function Optimizer.gradient(p, g, group)
  if group.weight_decay == 0 then return group.maximize and -g or g end
  local decay = p * group.weight_decay
  return group.maximize and decay:sub_(g) or decay:add_(g)
end

--- What is wrong with an option that must be a number of at least `lowest`; nil where it is right.
function Optimizer.wrong(name, value, lowest, below)
  local fits = type(value) == "number" and value >= lowest and (not below or value < below)
  if not fits then
    return ("%s must be %s, got %s"):format(name, below
      and ("in %g .. %g, the end excluded"):format(lowest, below) or (">= %g"):format(lowest),
      tostring(value))
  end
end

return Optimizer
