-- Every op and its gradient on CUDA against the CPU: shapes, layouts and arguments at random
-- (tests/support/random_calls.lua).  GRU_AGREE_ROUNDS is how many calls of each op (40), GRU_AGREE_SEED where
-- the seeds begin (1).
local agree_calls = require "tests.support.agree_calls"
local command_line = require "tests.support.command_line"
local core = require "gru.core"
local devices = require "tests.support.devices"
local gru = require "gru"

local ROUNDS = tonumber(os.getenv "GRU_AGREE_ROUNDS") or 40
local FIRST = tonumber(os.getenv "GRU_AGREE_SEED") or 1

devices.on_cuda(function(device)
  -- What the rows make on the CPU names it; nothing else is to be made elsewhere.
  setup(function() gru.set_default_device("cpu") end)

  for _, op in ipairs(core.op_names()) do
    it("agrees with the CPU: " .. op.name, function() agree_calls.check(op, device, ROUNDS, FIRST) end)
  end

  -- Blocks lie alone then: on the emulated device, what a kernel reads or writes beside one ends the program,
  -- and what nobody has written is NaN.  Under compute-sanitizer it is the same on a GPU.
  for i, order in ipairs {"forward", "reverse", "7"} do
    it("touches no memory but its own; threads in order " .. order, function()
      local text = ([[
        local agree_calls, core = require "tests.support.agree_calls", require "gru.core"
        for _, op in ipairs(core.op_names()) do agree_calls.check(op, "%s", %d, %d) end
        print "all agree"]]):format(device, ROUNDS // 3, FIRST + 100000 * i)
      local command = "GRU_MEMORY_CACHE=0 GRU_EMULATOR_ORDER=%s '%s' -e '%s' 2>&1"
      assert.equal("all agree\n", command_line.capture(command:format(order, command_line.program, text)))
    end)
  end
end)
