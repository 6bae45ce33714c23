--- Devices, threads, memory.
-- @module gru
local core = require "gru.core"

local device = {}

--- The names of the devices that are there: `{"cpu", "cuda:0", ...}`.
-- @function devices
-- @treturn table
-- @treturn ?string where CUDA devices are missing, why
-- @usage
-- local names, why = gru.devices()
-- print(table.concat(names, " "), why) --> cpu  cuda: there is no NVIDIA driver on this machine
function device.devices()
  local list = {"cpu"}
  local count, reason = core.device_count "cuda"
  for i = 0, count - 1 do list[#list + 1] = "cuda:" .. i end
  return list, reason
end

--- Is there a device of this name?
-- @function device_check
-- @tparam string name
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string why not
device.device_check = core.device_check

--- Sets how many threads ops may use; results do not depend on it.
-- @function set_num_threads
-- @tparam integer n 1 .. 256

--- How many threads ops may use.
-- @function get_num_threads
-- @treturn integer

--- Sets where tensors are made when no device is named; an error where there is none.
-- @function set_default_device
-- @tparam string name

--- Where tensors are made when no device is named.
-- @function get_default_device
-- @treturn string

--- Sets the dtype of floats when none is named.
-- @function set_default_dtype
-- @tparam string dtype "float32" or "float64"

--- The dtype of floats when none is named.
-- @function get_default_dtype
-- @treturn string

--- How GPUs multiply float32 in matrix products, recurrent ones included: "fp32", with all digits, or
-- "tf32", with the ten bits of each factor that tensor cores take: errors of about 3e-4 of the largest
-- terms, several times the speed. It holds for all devices; on the CPU, and for other dtypes, it changes
-- nothing. Captured graphs keep what they were captured with.
-- @function precision
-- @tparam[opt] string name "fp32", as at the start, or "tf32"; without it nothing is set
-- @treturn string what holds from here on
-- @usage gru.precision("tf32")
-- assert(gru.precision() == "tf32")
-- gru.precision("fp32")

--- Bytes on a device: `live`, those of tensors; `peak`, the most so far, or since
-- `reset_peak_memory`; `reserved`, with what is kept for reuse; `limit`, which `--max-memory` sets.
-- What is kept is bounded: by what was in use lately, or 64 MB, and with `live` by the limit.
-- @function memory
-- @tparam[opt] string device the default device unless given
-- @treturn table
-- @usage print(gru.memory().live)

--- Lets `peak` count anew, from what is live.
-- @function reset_peak_memory
-- @tparam[opt] string device the default device unless given
-- @usage
-- gru.reset_peak_memory()
-- local y = model(x)
-- print(gru.memory().peak)

--- Gives memory that is kept for reuse back to the system, on every device.
-- @function empty_cache

for _, name in ipairs {
  "set_num_threads", "get_num_threads", "set_default_device", "get_default_device",
  "set_default_dtype", "get_default_dtype", "precision", "memory", "reset_peak_memory", "empty_cache",
} do
  device[name] = core[name]
end

return device
