--- The devices that specs run on.  `make test` names an emulated CUDA device where there is no other,
-- for the specs under gru-lua: GRU_CUDA_PLUGIN, which programs that specs start inherit.
local busted = require "busted"
local gru = require "gru"

local devices = {}

local names, told = nil, false

--- Their names, as gru.devices() gives them: `{"cpu", "cuda:0"}`; of several GPUs the first.
function devices.all()
  names = names or {table.unpack(gru.devices(), 1, 2)}
  return names
end

--- "cuda:0", or nil and the reason.
function devices.cuda()
  if devices.all()[2] then return devices.all()[2] end
  return nil, select(2, gru.cuda.is_available())
end

--- Is this the CUDA device that the CPU plays?  It is slow: fewer seeds and sizes will do.
function devices.is_emulated(device)
  return device ~= "cpu" and (os.getenv "GRU_CUDA_PLUGIN" or ""):find("/emulator/", 1, true) ~= nil
end

-- Makes `device` the default one from here on, and what it was again after the block.
local function use(device)
  local before = gru.get_default_device()
  gru.set_default_device(device)
  busted.teardown(function() gru.set_default_device(before) end)
end

--- A block with `device` as the default device, where tensors are made that name none: while `f` sets
-- the block up, and in what it holds.  Its name ends in #cuda where the device is one.
-- @tparam string device
-- @tparam function f called with the device
function devices.on(device, f)
  busted.describe("on " .. device .. (device ~= "cpu" and " #cuda" or ""), function()
    use(device)
    f(device)
  end)
end

--- `devices.on` for the CUDA device alone; where there is none, one pending test of the file says why.
function devices.on_cuda(f)
  local cuda, reason = devices.cuda()
  if cuda then return devices.on(cuda, f) end
  if not told then busted.pending("on cuda:0: " .. tostring(reason), function() end) end
  told = true
end

--- `devices.on` for every device.
-- @usage devices.each(function(device) it("adds", function() ... end) end)
function devices.each(f)
  devices.on("cpu", f)
  devices.on_cuda(f)
end

return devices
