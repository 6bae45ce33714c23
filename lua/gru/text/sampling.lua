--- Batches of subsequences from a long sequence of ids.
--
-- Both ways yield X and Y (batch, steps): Y is X one position later.
-- @module gru.text.sampling
local core = require "gru.core"

local sampling = {}

local function check(name, indices, batch_size, num_steps)
  if not core.is_tensor(indices) or indices:dim() ~= 1 or indices.dtype ~= "int64" then
    error(name .. ": an int64 tensor of one dim expected", 3)
  end
  local sizes = {batch_size = batch_size, num_steps = num_steps}
  for _, what in ipairs {"batch_size", "num_steps"} do
    local value = sizes[what]
    if math.type(value) ~= "integer" or value < 1 then
      error(("%s: %s must be a positive integer, got %s"):format(name, what, tostring(value)), 3)
    end
  end
end

--- The least length of a corpus that gives one batch of consecutive sampling.
function sampling.shortest(batch_size, num_steps)
  return batch_size * (num_steps + 1)
end

local function too_short(name, have, need, batch_size, num_steps)
  error(("%s: %d characters are too few for batches of %d x %d steps; at least %d are needed")
    :format(name, have, batch_size, num_steps, need), 3)
end

--- Random sampling: the sequence is cut into pieces of num_steps, in random order, so that the
-- state must start anew at every batch.
-- @usage for X, Y in gru.text.random_batches(corpus.indices, 32, 35) do print(X.shape[2], Y) end
-- @param indices int64 (length)
-- @tparam integer batch_size
-- @tparam integer num_steps
-- @tparam[opt] string device
function sampling.random_batches(indices, batch_size, num_steps, device)
  check("random_batches", indices, batch_size, num_steps)
  local length = indices:numel()
  local pieces = (length - 1) // num_steps
  local batches = pieces // batch_size
  if batches < 1 then
    too_short("random_batches", length, batch_size * num_steps + 1, batch_size, num_steps)
  end
  indices = (device and indices:to(device) or indices):contiguous()
  local order, steps = core.randperm(pieces) - 1, core.range(1, 1, num_steps, "int64", "cpu")
  local at = 0
  return function()
    if at == batches then return nil end
    local starts = order:narrow(1, at * batch_size + 1, batch_size):unsqueeze(2) * num_steps
    local places = (starts + steps):reshape(-1):to(indices.device)
    at = at + 1
    return indices:index_select(1, places):reshape(batch_size, num_steps),
      indices:index_select(1, places + 1):reshape(batch_size, num_steps)
  end
end

--- Consecutive sampling: the sequence is laid out in batch_size rows that are read from left to
-- right, so that the state of a batch goes on where the last one ended.
-- @param indices int64 (length)
-- @tparam integer batch_size
-- @tparam integer num_steps
-- @tparam[opt] string device
function sampling.consecutive_batches(indices, batch_size, num_steps, device)
  check("consecutive_batches", indices, batch_size, num_steps)
  local length = indices:numel()
  local columns = length // batch_size
  local batches = (columns - 1) // num_steps
  if batches < 1 then
    too_short("consecutive_batches", length, sampling.shortest(batch_size, num_steps),
      batch_size, num_steps)
  end
  if device then indices = indices:to(device) end
  local rows = indices:narrow(1, 1, batch_size * columns):reshape(batch_size, columns)
  local at = 0
  return function()
    if at == batches then return nil end
    local start = at * num_steps
    at = at + 1
    return rows:narrow(2, start + 1, num_steps), rows:narrow(2, start + 2, num_steps)
  end
end

return sampling
