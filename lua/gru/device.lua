--- Devices, threads, memory.
-- @module gru
local core = require "gru.core"

local device = {}

--- The names of the devices that are there: `{"cpu", "cuda:0", ...}`.
-- @treturn table
function device.devices()
  local list = {"cpu"}
  while #list < 17 and core.device_check("cuda:" .. #list - 1) do
    list[#list + 1] = "cuda:" .. #list - 1
  end
  return list
end

--- Is there a device of this name?
-- @tparam string name
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] string why not
device.device_check = core.device_check

for _, name in ipairs {
  "set_num_threads", "get_num_threads", "set_default_device", "get_default_device",
  "set_default_dtype", "get_default_dtype", "memory", "empty_cache",
} do
  device[name] = core[name]
end

return device
