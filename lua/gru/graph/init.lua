--- CUDA graphs: a step that the device repeats by itself.
--
--     local step = gru.cuda.graph(function(x, y)
--       optimizer:zero_grad()
--       local loss = criterion(model(x), y)
--       loss:backward()
--       optimizer:step()
--       return loss
--     end)
--     for x, y in data() do total:add_(step(x, y)) end
--
-- The first call runs the step as always.  The second one writes down what the step asks of the device;
-- from then on a call launches all of that at once.  There is one graph for each combination of the shapes
-- and dtypes of tensor arguments and of the values of all other arguments.
--
-- * Tensor arguments, also in plain tables, are copied into fixed tensors.  They must be on the device, and
--   require no grad.  A step that changes one in place cannot be captured.
-- * Results, also in tables, are valid until the next call; they may be passed to it.  They have no history:
--   `backward` belongs into the step.
-- * Lua code in the step does not run again: numbers that it computed and branches that it took are frozen.
--   What goes on from call to call, such as a recurrent state, is passed as an argument and a result.
-- * Tensors that the step finds elsewhere, parameters above all, are read and written where they are; so
--   are those in modules and other objects that are passed.  That a field of an object holds another tensor
--   now goes unnoticed.  After a call every parameter has the `.grad` that the step leaves.
-- * The generator draws on from call to call.  The options of optimisers in the step are those at the time of
--   the call, so schedulers work as always; the counts of steps go on.
-- * What needs a value on the host cannot be captured: `graph: item() needs the host; ...`.  Such a step
--   stays as it is: it runs as always, and `warn` says once why.
-- * An id out of range is reported by the next `item` or `synchronize`.
-- @module gru.graph
local core = require "gru.core"
local Capture = require "gru.graph.capture"
local recording = require "gru.graph.recording"

local MOST_GRAPHS, MOST_VARIANTS, MOST_FAILURES = 32, 4, 2

local Graph = {__name = "gru.CudaGraph"}
Graph.__index = Graph

-- ---- what tells calls apart ------------------------------------------------------------------------

local names = setmetatable({}, {__mode = "k"}) -- of functions, modules and so on
local last_name = 0

local function name_of(value)
  if not names[value] then
    last_name = last_name + 1
    names[value] = "#" .. last_name
  end
  return names[value]
end

local function by_text(a, b) return tostring(a) < tostring(b) end

-- Adds what `value` is to the list `parts`, its tensors to `tensors`, each once.  `above` are the tables that
-- it is in.
local function describe(value, parts, tensors, above)
  local kind = type(value)
  if core.is_tensor(value) then
    local place = tensors.places[value] -- a tensor that is there twice is so in the graph, too
    if not place then
      place = #tensors + 1
      tensors[place], tensors.places[value] = value, place
    end
    parts[#parts + 1] = place .. core.tensor_key(value)
  elseif kind == "number" then
    parts[#parts + 1] = ("%q"):format(value)
  elseif kind == "table" and not getmetatable(value) then
    if above[value] then error("graph: a table among the arguments holds itself", 0) end
    above[value] = true
    local keys = {}
    for key in pairs(value) do keys[#keys + 1] = key end
    table.sort(keys, by_text)
    parts[#parts + 1] = "{"
    for _, key in ipairs(keys) do
      describe(key, parts, tensors, above)
      describe(value[key], parts, tensors, above)
    end
    above[value] = nil
    parts[#parts + 1] = "}"
  elseif kind == "string" or kind == "boolean" or kind == "nil" then
    parts[#parts + 1] = kind .. tostring(value)
  else
    parts[#parts + 1] = name_of(value)
  end
end

-- The key of a call, and its tensors.
local function signature(args)
  local parts, tensors = {core.is_grad_enabled() and "g" or "n"}, {places = {}}
  for i = 1, args.n do describe(args[i], parts, tensors, {}) end
  return table.concat(parts, "|"), tensors
end

-- The device of a call: that of the first argument on a CUDA device, or the default one.
local function device_of(tensors)
  for _, x in ipairs(tensors) do
    if x.device ~= "cpu" then return x.device end
  end
  local device = core.get_default_device()
  return device ~= "cpu" and device or nil
end

-- What is wrong with the arguments, or nil.
local function wrong_arguments(tensors, device)
  for i, x in ipairs(tensors) do
    if x.device ~= device then
      return ("graph: tensor argument %d is on %s, another one on %s; move it before the call"):format(i,
        x.device, device)
    end
  end
end

-- ---- calls -------------------------------------------------------------------------------------------

-- From now on the step runs as always.
local function give_up(self, reason)
  self.eager, self.entries = reason, {}
  warn(("gru.cuda.graph: the step stays as it is: %s"):format(reason))
end

local function as_always(self, args)
  local results = Capture.results(table.pack(self.step(table.unpack(args, 1, args.n))))
  return table.unpack(results, 1, results.n)
end

local function rehearse(self, entry, device, args)
  local results, reason = Capture.rehearse(self.step, device, args)
  entry.rehearsed = reason == nil
  if reason then
    entry.refused = (entry.refused or 0) + 1
    if entry.refused == MOST_FAILURES then give_up(self, reason) end
  end
  return table.unpack(results, 1, results.n)
end

local function capture(self, entry, device, args, tensors)
  local new, message = Capture.new(self.step, device, args, tensors)
  if new then
    entry[#entry + 1] = new
    self.captured = self.captured + 1
    return new:run()
  end
  if tostring(message):find("interrupted!", 1, true) then error(message, 0) end
  self.failures = self.failures + 1
  if self.failures == MOST_FAILURES then give_up(self, tostring(message)) end
  return as_always(self, args)
end

-- The capture of an entry that can be run now.
local function ready(entry)
  for i = #entry, 1, -1 do
    local state = entry[i]:look()
    if state == "ready" then return entry[i] end
    if state == "stale" then table.remove(entry, i) end
  end
end

local function entry_for(self, key)
  local entry = self.entries[key]
  if not entry and self.count < MOST_GRAPHS then
    entry = {}
    self.entries[key], self.count = entry, self.count + 1
  elseif not entry and not self.full then
    self.full = true
    warn(("gru.cuda.graph: %d graphs, no more will be made; pass numbers that change as tensors"):format(
      MOST_GRAPHS))
  end
  return entry
end

function Graph:__call(...)
  local args = table.pack(...)
  if self.eager or recording.current or not recording.enabled then return as_always(self, args) end
  local described, key, tensors = pcall(signature, args)
  if not described then error(key, 2) end
  local device = device_of(tensors)
  if not device then return as_always(self, args) end
  for i, x in ipairs(tensors) do
    if x.requires_grad then
      error(("graph: tensor argument %d requires grad; use it inside the step, or pass x:detach()")
        :format(i), 2)
    end
  end
  local entry = entry_for(self, key)
  if not entry then return as_always(self, args) end
  local problem = wrong_arguments(tensors, device)
  if problem then
    give_up(self, problem)
    return as_always(self, args)
  end
  if not entry.rehearsed then return rehearse(self, entry, device, args) end
  local found = ready(entry)
  if found then return found:again(tensors) end
  if #entry == MOST_VARIANTS then return as_always(self, args) end
  return capture(self, entry, device, args, tensors)
end

--- What is known of the graphs: `{graphs = how many there are, nodes = of all of them, captured = how often
-- the step was captured, eager = why it runs as always, or nil}`.
-- @treturn table
function Graph:info()
  local out = {graphs = 0, nodes = 0, captured = self.captured, eager = self.eager}
  for _, entry in pairs(self.entries) do
    for _, one in ipairs(entry) do
      out.graphs, out.nodes = out.graphs + 1, out.nodes + core.graph_nodes(one.graph)
    end
  end
  return out
end

--- A step that a CUDA device repeats by itself; on the CPU it runs as always.
-- @function graph
-- @tparam function step
-- @return a function of the same arguments; its method `info` tells of its graphs
-- @usage local step = gru.cuda.graph(function(x) return (x * 2):sum() end)
return function(step)
  local meta = type(step) == "table" and getmetatable(step)
  if type(step) ~= "function" and not (type(meta) == "table" and meta.__call) then
    error("graph: a function expected, got " .. type(step), 2)
  end
  return setmetatable({step = step, entries = {}, count = 0, captured = 0, failures = 0}, Graph)
end
