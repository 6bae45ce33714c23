--- Data sets and batches, as in `torch.utils.data`.
--
--     local loader = gru.data.DataLoader(gru.data.TensorDataset(x, y), {batch_size = 32, shuffle = true})
--     for epoch = 1, 10 do
--       for inputs, targets in loader do ... end
--     end
--
-- A data set is anything with `#` and `[i]` for i from 1 on; an example is a tensor, a number, or a
-- table of these.
-- @module gru.data
local args = require "gru.args"
local core = require "gru.core"
local Stream = require "gru.stream"

local data = {}
local ops = core.functions

-- ---- TensorDataset ----------------------------------------------------------------------------

local Tensors = {__name = "gru.TensorDataset"}

function Tensors:__len() return self.tensors[1]:size(1) end

function Tensors:__index(key)
  if math.type(key) ~= "integer" or key < 1 or key > #self then return nil end
  local example = {}
  for i, x in ipairs(self.tensors) do example[i] = x[key] end
  return example
end

function Tensors:__tostring()
  return ("TensorDataset(%d examples of %d tensors)"):format(#self, #self.tensors)
end

--- Tensors whose first dims belong together; example i is the table of their i-th rows.
-- @param ... tensors with the same size of dim 1
-- @return a data set; its field `tensors` holds them
function data.TensorDataset(...)
  local tensors = {...}
  if #tensors == 0 then error("TensorDataset: at least one tensor expected", 2) end
  for i, x in ipairs(tensors) do
    if not core.is_tensor(x) or x:dim() == 0 then
      error(("TensorDataset: argument %d must be a tensor of 1 dim or more"):format(i), 2)
    end
    if x:size(1) ~= tensors[1]:size(1) then
      error(("TensorDataset: tensor %d has %d rows, the first one has %d")
        :format(i, x:size(1), tensors[1]:size(1)), 2)
    end
  end
  return setmetatable({tensors = tensors}, Tensors)
end

-- ---- order --------------------------------------------------------------------------------------

-- The ids 1 .. n in the order of an epoch.
local function order(self, n)
  if not self.shuffle then
    local ids = {}
    for i = 1, n do ids[i] = i end
    return ids
  end
  if not self.stream then return core.randperm(n):totable() end
  local ids = {}
  for i = 1, n do ids[i] = i end
  for i = n, 2, -1 do -- Fisher and Yates
    local j = self.stream:below(i)
    ids[i], ids[j] = ids[j], ids[i]
  end
  return ids
end

-- ---- DataLoader -----------------------------------------------------------------------------------

local Loader = {__name = "gru.DataLoader"}
Loader.__index = Loader

local known = {
  dataset = true, batch_size = true, shuffle = true, seed = true, drop_last = true, collate_fn = true,
}

-- One column of a batch: tensors stacked, numbers and booleans in a tensor.
local function stack(values)
  if core.is_tensor(values[1]) then return ops.stack(values, 1) end
  local kind = type(values[1])
  if kind == "number" or kind == "boolean" then return core.from_table(values) end
  return values
end

-- Examples as columns: {{x1, y1}, {x2, y2}} -> stack of x, stack of y.
local function collate(examples)
  if core.is_tensor(examples[1]) or type(examples[1]) ~= "table" then return stack(examples) end
  local columns = {}
  for k = 1, #examples[1] do
    local values = {}
    for i, example in ipairs(examples) do values[i] = example[k] end
    columns[k] = stack(values)
  end
  return table.unpack(columns)
end

-- The examples of some ids as one batch.
local function fetch(self, ids)
  local dataset = self.dataset
  if getmetatable(dataset) == Tensors and not self.collate_fn then
    local columns = {}
    for k, x in ipairs(dataset.tensors) do
      columns[k] = x:index_select(1, core.from_table(ids, "int64", x.device))
    end
    return table.unpack(columns)
  end
  local examples = {}
  for i, id in ipairs(ids) do examples[i] = dataset[id] end
  return (self.collate_fn or collate)(examples)
end

--- Batches of a data set.
-- @param dataset see above
-- @tparam[opt] table options `batch_size` (1), `shuffle` (false: a new order every epoch), `seed` (the
-- order then is a stream of its own; without it, the order is drawn from the generator that
-- `gru.manual_seed` seeds), `drop_last` (false: the last batch may be smaller), `collate_fn` (from
-- a list of examples to the values of a batch)
-- @return a loader; `#loader` is the number of batches, `for x, y in loader do` goes through one epoch
-- @usage for inputs, labels in gru.data.DataLoader(gru.data.TensorDataset(x, y), {batch_size = 2}) do
--   print(inputs.shape[1], labels)
-- end
function data.DataLoader(dataset, options)
  if type(dataset) == "table" and getmetatable(dataset) == nil and dataset.dataset then
    options, dataset = dataset, dataset.dataset
  end
  options = args.options("DataLoader", options, known)
  if type(dataset) ~= "table" and type(dataset) ~= "userdata" then
    error("DataLoader: a data set expected, got " .. type(dataset), 2)
  end
  local batch_size = options.batch_size or 1
  if math.type(batch_size) ~= "integer" or batch_size < 1 then
    error("DataLoader: batch_size must be a positive integer, got " .. tostring(batch_size), 2)
  end
  for _, key in ipairs {"shuffle", "drop_last"} do
    if options[key] ~= nil and type(options[key]) ~= "boolean" then
      error(("DataLoader: %s must be true or false, got %s"):format(key, tostring(options[key])), 2)
    end
  end
  if options.collate_fn ~= nil and type(options.collate_fn) ~= "function" then
    error("DataLoader: collate_fn must be a function, got " .. type(options.collate_fn), 2)
  end
  if options.seed ~= nil and math.type(options.seed) ~= "integer" then
    error("DataLoader: seed must be an integer, got " .. tostring(options.seed), 2)
  end
  return setmetatable({
    dataset = dataset, batch_size = batch_size, shuffle = options.shuffle == true,
    drop_last = options.drop_last == true, collate_fn = options.collate_fn,
    stream = options.seed and Stream.new(options.seed) or nil,
    under_way = setmetatable({}, {__mode = "k"}), -- the first value of a batch -> the rest of its epoch
  }, Loader)
end

function Loader:__len()
  local n = #self.dataset
  return self.drop_last and n // self.batch_size or (n + self.batch_size - 1) // self.batch_size
end

--- One epoch: an iterator over the values of each batch, one for each tensor of an example.  A loader is
-- such an iterator itself.
-- @usage for inputs, labels in loader:batches() do print(inputs.shape[1], labels) end
function Loader:batches()
  local ids, at, count = order(self, #self.dataset), 0, #self
  return function()
    if at >= count then return nil end
    local first = at * self.batch_size
    at = at + 1
    return fetch(self, table.move(ids, first + 1, math.min(first + self.batch_size, #ids), 1, {}))
  end
end

--- Where the order of the epochs stands: with `seed`, the next epochs of a loader that takes this state
-- over come in the same order.  (Without it, the order hangs on the generator of `gru.manual_seed`.)
-- @treturn table `{stream = integer}`; empty without `seed`
function Loader:state_dict() return {stream = self.stream and self.stream.state} end

--- Takes over a state that `state_dict` gave.
-- @tparam table state
function Loader:load_state_dict(state)
  local wanted = self.stream and "integer" or "nil"
  local kind = type(state) == "table" and (math.type(state.stream) or type(state.stream))
  if kind ~= wanted then
    error(("DataLoader: load_state_dict: the state of a loader %s seed expected"):format(
      self.stream and "with" or "without"), 2)
  end
  if self.stream then self.stream.state = state.stream end
end

-- Lets a loader be the iterator of a loop: `for x, y in loader do` calls it with nil first, and then with
-- the last x, which says which of the epochs under way is meant.  Without arguments, `loader()` is
-- `loader:batches()`.
function Loader:__call(...)
  if select("#", ...) == 0 then return self:batches() end
  local last = select(2, ...)
  local next_batch = self.under_way[last]
  if last == nil then next_batch = self:batches() end
  if not next_batch then error("DataLoader: for x, y in loader do, or loader(), expected", 2) end
  local values = table.pack(next_batch())
  if values[1] ~= nil then self.under_way[values[1]] = next_batch end
  return table.unpack(values, 1, values.n)
end

return data
