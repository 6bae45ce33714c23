--- The devices that specs run on.  `make test` names an emulated CUDA device where there is no other,
-- for the specs under gru-lua: GRU_CUDA_PLUGIN, which programs that specs start inherit.
--
--     local describe = require("tests.support.devices").describe
--
-- has the blocks of a file run on every device; `busted --tags=cuda` runs those on CUDA alone.
local busted = require "busted"
local gru = require "gru"

local devices = {}

local names, told = nil, false
local current -- the device of the block that runs

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

--- `many`, or `few` where the block runs on the CUDA device that the CPU plays, which is slow.
function devices.share(many, few)
  local plugin = current and current ~= "cpu" and os.getenv "GRU_CUDA_PLUGIN" or ""
  return plugin:find("/emulator/", 1, true) and few or many
end

--- A test without CUDA graphs: one that watches Lua code which a graph does not run again.
-- @tparam function test
-- @treturn function for `it`
function devices.eagerly(test)
  return function()
    gru.cuda.set_graphs(false)
    local ok, message = pcall(test)
    gru.cuda.set_graphs(true)
    if not ok then error(message, 0) end
  end
end

-- A block with `device` as the default device, where tensors are made that name none: while `f` sets
-- the block up, and in what it holds.
local function block(name, device, f)
  busted.describe(name, function()
    local before = gru.get_default_device()
    local function restore()
      current = nil
      gru.set_default_device(before)
    end
    current = device
    gru.set_default_device(device)
    local ok, message = xpcall(f, debug.traceback, device)
    if not ok then
      restore()
      error(message, 0)
    end
    busted.teardown(restore) -- the last of them
  end)
end

-- The block of the CUDA device; where there is none, one pending test of the file says why.
local function cuda_block(name, f)
  local cuda, reason = devices.cuda()
  if cuda then return block(("%son %s #cuda"):format(name and name .. " " or "", cuda), cuda, f) end
  if not told then busted.pending("on cuda:0: " .. tostring(reason), function() end) end
  told = true
end

--- A block on the CUDA device, with it as the default device.
-- @tparam function f called with the device
function devices.on_cuda(f) cuda_block(nil, f) end

--- A block once on every device, with it as the default device.
-- @tparam function f called with the device
function devices.each(f)
  block("on cpu", "cpu", f)
  cuda_block(nil, f)
end

--- `describe` once for every device; within such a block, the usual one.
function devices.describe(name, f)
  if current then return busted.describe(name, f) end
  block(name, "cpu", f)
  cuda_block(name, f)
end

return devices
