--- One captured step: its inputs, its graph, its results, and the steps of optimisers in it.
--
-- Of a step of an optimiser `steps` has {optimizer =, list = of {p, g, state}, group =, number = for the
-- core, form = what the step depends on, groups = how many the optimiser has, rates = what Optimizer:rates
-- gave, values = what they are at the first run, states = as they were before}.
-- @module gru.graph.capture
local core = require "gru.core"
local map = require "gru.train.map"
local recording = require "gru.graph.recording"

local Capture = {}
Capture.__index = Capture

-- ---- scopes ----------------------------------------------------------------------------------------

local Recorder = {
  __close = function(self) recording.current = self.before end,
}
Recorder.__index = Recorder

-- A scope in which optimisers tell `new` of their steps.
local function listen(new)
  new.before = recording.current
  recording.current = new
  return setmetatable(new, Recorder)
end

-- An optimiser may be captured when its class can say what a step of it needs anew each time.
local function want_replay(optimizer)
  if optimizer:repeats() then return end
  core.graph_refuse(("%s does not say which of its numbers change from step to step; see gru.optim.optimizer")
    :format(optimizer.name))
end

--- The step of the parameters of a group, noted.
function Recorder:step(optimizer, list, group)
  want_replay(optimizer)
  self.counts = self.counts or {}
  local number, rates = core.graph_steps(), optimizer.rate and optimizer:rates(list, self.counts)
  local values = {}
  if self.steps then
    local states = {}
    for i, item in ipairs(rates and list or {}) do values[i] = optimizer.rate(item[3], group) end
    for i, item in ipairs(list) do
      states[i] = {}
      for key, value in pairs(item[3]) do states[i][key] = value end
    end
    self.steps[#self.steps + 1] = {
      optimizer = optimizer, list = list, group = group, number = number, states = states,
      form = optimizer:form(group), rates = rates, values = values, groups = #optimizer.param_groups,
    }
  end
  optimizer:update_all(list, group, self.steps and rates)
end

-- States as they were: what was noted will never run.
local function undo(steps)
  for i = #steps, 1, -1 do
    for j, item in ipairs(steps[i].list) do
      local state = item[3]
      for key in pairs(state) do state[key] = nil end
      for key, value in pairs(steps[i].states[j]) do state[key] = value end
    end
  end
end

local Stopped = {
  __close = function(self)
    if core.graph_capturing() then core.graph_cancel() end
    core.set_grad_enabled(self.grad)
    if self.running then collectgarbage("restart") end
  end,
}

-- A scope without the collector, whose finalisers must not run while a device is capturing.  An error
-- that leaves it ends the capture.
local function stopped()
  local running = collectgarbage("isrunning")
  collectgarbage("stop")
  return setmetatable({running = running, grad = core.is_grad_enabled()}, Stopped)
end

-- ---- values ----------------------------------------------------------------------------------------

--- The results of a step as it hands them on: without history.
function Capture.results(packed)
  local out = {n = packed.n}
  for i = 1, packed.n do
    out[i] = map(packed[i], function(x) return x.requires_grad and x:detach() or x end)
  end
  return out
end

-- The results of a capture.  In the one-hot layout one would be written out later, by work that is not in
-- the graph; one that is an input would be overwritten while the next call's arguments are copied in.  They
-- outlive a gru.scope around the call.
local function fixed(packed, inputs)
  local function own(x)
    if x:is_one_hot() then return core.keep(x * 1) end
    for _, input in ipairs(inputs) do
      if core.shares_memory(x, input) then return core.keep(x:clone()) end
    end
    return core.keep(x)
  end
  local out = Capture.results(packed)
  for i = 1, out.n do out[i] = map(out[i], own) end
  return out
end

-- `value` with the tensors in it taken from `inputs`, in the order in which Graph finds them.
local function substitute(value, tensors, inputs)
  local by_tensor = {}
  for i, x in ipairs(tensors) do by_tensor[x] = inputs[i] end
  return map(value, function(x) return by_tensor[x] end)
end

local function copy_in(tensors, inputs)
  local grad = core.set_grad_enabled(false)
  for i, x in ipairs(tensors) do
    if x ~= inputs[i] then inputs[i]:copy_(x) end
  end
  core.set_grad_enabled(grad)
end

-- ---- life --------------------------------------------------------------------------------------------

--- Runs a step as always.
-- @treturn table its results, packed
-- @treturn ?string what in it could not be captured
function Capture.rehearse(step, device, args)
  local results
  do
    local _ <close> = listen {}
    local _ <close> = setmetatable({}, {__close = function() core.graph_rehearsed() end})
    core.graph_rehearse(device)
    results = table.pack(step(table.unpack(args, 1, args.n)))
  end
  return Capture.results(results), core.graph_rehearsed()
end

-- An argument is a copy: what a step writes into it would not reach the caller.
local function refuse_writes(inputs, versions)
  for i, x in ipairs(inputs) do
    if x:_version() ~= versions[i] then
      core.graph_refuse(("tensor argument %d is changed in place; change a clone, and return it"):format(i))
    end
  end
end

-- The step between begin and end; raises what it raises.
local function record(self, step, device, args)
  local _ <close> = stopped()
  local _ <close> = listen(self.recorder)
  local versions = {}
  for i, x in ipairs(self.inputs) do versions[i] = x:_version() end
  core.graph_begin(device)
  local results = table.pack(step(table.unpack(args, 1, args.n)))
  refuse_writes(self.inputs, versions)
  self.kept = fixed(results, self.inputs)
  self.graph = core.graph_end()
end

--- Captures a step; it has not run then.
-- @treturn[1] table the capture
-- @treturn[2] nil
-- @return[2] the error; nothing has been done
function Capture.new(step, device, args, tensors)
  local self = setmetatable({inputs = {}, steps = {}}, Capture)
  for i, x in ipairs(tensors) do
    self.inputs[i] = core.keep(core.empty(x.shape, x.dtype, x.device))
  end
  copy_in(tensors, self.inputs)
  local given = {n = args.n}
  for i = 1, args.n do given[i] = substitute(args[i], tensors, self.inputs) end
  self.recorder = {steps = self.steps}
  local ok, message = pcall(record, self, step, device, given)
  self.recorder = nil
  if ok then
    for _, s in ipairs(self.steps) do
      if s.rates then s.optimizer.set_rates(s.rates, s.values) end
    end
    return self
  end
  undo(self.steps)
  return nil, message
end

-- Are the states of optimisers those that were captured?
local function same_states(self)
  for _, s in ipairs(self.steps) do
    local states = s.optimizer.state
    if s.form ~= s.optimizer:form(s.group) or s.groups ~= #s.optimizer.param_groups then return false end
    for _, item in ipairs(s.list) do
      if states[item[1]] ~= item[3] then return false end
    end
  end
  return true
end

--- "ready"; "other": gradients have come or gone; "stale": it has to be captured again.
function Capture:look()
  local state = core.graph_look(self.graph)
  return state == "ready" and not same_states(self) and "stale" or state
end

-- Tables are new, as the step's own are.
local function handed_out(kept)
  local out = {n = kept.n}
  for i = 1, kept.n do out[i] = map(kept[i], function(x) return x end) end
  return table.unpack(out, 1, out.n)
end

--- The run that follows the capture: arguments and numbers are in place.
-- @return the results of the step
function Capture:run()
  core.graph_run(self.graph)
  return handed_out(self.kept)
end

--- A later run.
-- @tparam table tensors the arguments
-- @return the results of the step
function Capture:again(tensors)
  copy_in(tensors, self.inputs)
  for _, s in ipairs(self.steps) do s.optimizer:replay(self.graph, s) end
  return self:run()
end

return Capture
