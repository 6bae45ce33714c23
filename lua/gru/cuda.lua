--- What there is to ask of NVIDIA devices; each is named "cuda:0", "cuda:1" and so on.
-- @module gru.cuda
local core = require "gru.core"

local cuda = {}

local function name_of(index) return "cuda:" .. tostring(index or 0) end

local function want_device(name, index)
  local there, reason = core.device_check(name_of(index))
  if not there then error(("cuda.%s: %s"):format(name, reason), 3) end
  return name_of(index)
end

--- How many CUDA devices can be used; 0 where the backend, a driver or a device is missing.
-- @treturn integer
-- @usage print(gru.cuda.device_count())
function cuda.device_count()
  local n = 0
  while core.device_check(name_of(n)) do n = n + 1 end
  return n
end

--- Is there a CUDA device that can be used?
-- @treturn boolean
-- @treturn ?string why not
-- @usage local device = gru.cuda.is_available() and "cuda:0" or "cpu"
function cuda.is_available()
  local there, reason = core.device_check(name_of(0))
  if there then return true end
  return false, reason
end

--- Bytes of tensors on a device; an error where there is none.
-- @tparam[opt=0] integer index
-- @treturn integer
function cuda.memory_allocated(index)
  return core.memory(want_device("memory_allocated", index)).live
end

--- The most bytes of tensors that a device has held, since `reset_peak_memory_stats`.
-- @tparam[opt=0] integer index
-- @treturn integer
function cuda.max_memory_allocated(index)
  return core.memory(want_device("max_memory_allocated", index)).peak
end

--- Lets `max_memory_allocated` count anew.
-- @tparam[opt=0] integer index
function cuda.reset_peak_memory_stats(index)
  core.reset_peak_memory(want_device("reset_peak_memory_stats", index))
end

--- Gives cached blocks of every device back to the system.
function cuda.empty_cache()
  core.empty_cache()
end

return cuda
