--- What there is to ask of NVIDIA devices; each is named "cuda:0", "cuda:1" and so on.
-- A `device` is such a name, or its number, which counts from 0; the current device unless given.
-- @module gru.cuda
local core = require "gru.core"
local recording = require "gru.graph.recording"

local cuda = {}

--- A step that a device repeats by itself; see `gru.graph`.
-- @function graph
-- @tparam function step
-- @return a function of the same arguments
cuda.graph = require "gru.graph"

--- Whether steps run as graphs, also those of `gru.d2l` and `gru.train`: true from the start.  Without,
-- they run as always, with the same results.
-- @tparam boolean on
-- @treturn boolean what it was before
-- @usage local before = gru.cuda.set_graphs(false)
-- gru.cuda.set_graphs(before)
function cuda.set_graphs(on)
  if type(on) ~= "boolean" then error("set_graphs: true or false expected, got " .. type(on), 2) end
  local before = recording.enabled
  recording.enabled = on
  return before
end

local function name_of(f, device)
  if device == nil then
    local default = core.get_default_device()
    return default:find "^cuda" and default or "cuda:0"
  end
  if math.type(device) == "integer" and device >= 0 then return "cuda:" .. device end
  if type(device) == "string" and device:find "^cuda" then return device end
  error(("cuda.%s: expected a name such as \"cuda:0\" or a number from 0, got %s"):format(f,
    type(device) == "string" and device or tostring(device)), 3)
end

local function want_device(f, device)
  local name = name_of(f, device)
  local there, reason = core.device_check(name)
  if not there then error(("cuda.%s: %s"):format(f, reason), 3) end
  return name
end

--- How many CUDA devices there are; 0 where the plugin, a driver or a device is missing.
-- @treturn integer
-- @treturn ?string why there are none
-- @usage print(gru.cuda.device_count())
function cuda.device_count()
  return core.device_count "cuda"
end

--- Is there a CUDA device that can be used?
-- @treturn boolean
-- @treturn ?string why not
-- @usage local device = gru.cuda.is_available() and "cuda:0" or "cpu"
function cuda.is_available()
  local there, reason = core.device_check "cuda:0"
  if there then return true end
  return false, reason
end

--- The number of the CUDA device that is meant where none is given: that of the default device, or 0.
-- @treturn integer
function cuda.current_device()
  return math.tointeger(name_of "current_device":match ":(%d+)$") or 0
end

--- Makes a CUDA device the default one, as `gru.set_default_device`: where tensors are made when no device
-- is named.  An error where it is not there.
-- @tparam integer|string device
function cuda.set_device(device)
  core.set_default_device(want_device("set_device", device))
end

--- Waits until a device has done all that it was asked for: what a clock needs before and after.  Tells of
-- failures that no call has told of yet.  A device "cpu" is allowed, which has always done its work.
-- @tparam[opt] integer|string device
-- @usage
-- local device = gru.cuda.is_available() and "cuda:0" or "cpu"
-- local x = gru.ones(100, 100, {device = device})
-- local start = os.clock()
-- local y = x:matmul(x)
-- gru.cuda.synchronize(device)
-- print(os.clock() - start)
function cuda.synchronize(device)
  core.synchronize(device == "cpu" and device or want_device("synchronize", device))
end

--- What a device is: `name`, `major` and `minor` (its compute capability), `multi_processor_count`,
-- `total_memory` and `free_memory` (bytes; the latter 0 until the device is used), and of CUDA
-- `runtime_version` and `driver_version`, such as "13.0".
-- @tparam[opt] integer|string device
-- @treturn table
function cuda.get_device_properties(device)
  local properties, reason = core.device_properties(name_of("get_device_properties", device))
  if not properties then error("cuda.get_device_properties: " .. reason, 2) end
  return properties
end

--- The name of a device, such as "NVIDIA H100 80GB HBM3".
-- @tparam[opt] integer|string device
-- @treturn string
function cuda.get_device_name(device)
  local properties, reason = core.device_properties(name_of("get_device_name", device))
  if not properties then error("cuda.get_device_name: " .. reason, 2) end
  return properties.name
end

--- Bytes of tensors on a device; an error where there is none.
-- @tparam[opt] integer|string device
-- @treturn integer
function cuda.memory_allocated(device)
  return core.memory(want_device("memory_allocated", device)).live
end

--- The most bytes of tensors that a device has held, since `reset_peak_memory_stats`.
-- @tparam[opt] integer|string device
-- @treturn integer
function cuda.max_memory_allocated(device)
  return core.memory(want_device("max_memory_allocated", device)).peak
end

--- Bytes of tensors on a device, with what is kept for reuse.
-- @tparam[opt] integer|string device
-- @treturn integer
function cuda.memory_reserved(device)
  return core.memory(want_device("memory_reserved", device)).reserved
end

--- Lets `max_memory_allocated` count anew.
-- @tparam[opt] integer|string device
function cuda.reset_peak_memory_stats(device)
  core.reset_peak_memory(want_device("reset_peak_memory_stats", device))
end

--- Gives memory that no tensor needs back to the system, on every device.
function cuda.empty_cache()
  core.empty_cache()
end

return cuda
