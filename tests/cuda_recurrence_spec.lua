-- Recurrent layers on a CUDA device against the CPU's: every cell, every way of running it.
local command_line = require "tests.support.command_line"
local devices = require "tests.support.devices"
local gru = require "gru"
local new_rng = require "tests.support.rng"
local pairs_of = require "tests.support.recurrence_pairs"

local device = devices.cuda()
local test = device and it or pending

-- Text that runs in a program of its own, where GRU_CUDA_RECURRENCE is `way`.
local PROGRAM = [[
  local new_rng, pairs_of = require "tests.support.rng", require "tests.support.recurrence_pairs"
  local gru = require "gru"
  local rng = new_rng(%d)
  gru.manual_seed(%d)
  %s
  print "all agree"
]]

local function in_program(way, text)
  text = PROGRAM:format(#way, #text, text)
  local command = "GRU_CUDA_RECURRENCE=%s '%s' -e '%s' 2>&1"
  assert.equal("all agree\n", command_line.capture(command:format(way, command_line.program, text)))
end

describe("recurrent layers on " .. (device or "a CUDA device") .. " #cuda", function()
  setup(function() gru.manual_seed(23) end)

  for _, way in ipairs {"step", "fused"} do
    test(way .. ": random sizes, settings and lengths", function()
      in_program(way, [[
        for _ = 1, 30 do pairs_of.check(pairs_of.draw(rng, {}), "cuda:0") end
      ]])
    end)

    test(way .. ": every cell with more rows and units than a block has", function()
      in_program(way, [[
        for cell = 1, #pairs_of.cells do
          for _, size in ipairs {{N = 33, H = 10}, {N = 1, H = 68}, {N = 69, H = 130}} do
            local fixed = {cell = cell, L = 1, dtype = "float32", lengths = cell % 2 == 0}
            for k, v in pairs(size) do fixed[k] = v end
            pairs_of.check(pairs_of.draw(rng, fixed), "cuda:0")
          end
          pairs_of.check(pairs_of.draw(rng, {cell = cell, L = 3, N = 35, H = 6, dtype = "float64"}), "cuda:0")
        end
      ]])
    end)

    test(way .. ": rows of the batch are independent of each other", function()
      in_program(way, [[
        for cell = 1, #pairs_of.cells do
          for _, N in ipairs {2, 5, 12} do
            local fixed = {cell = cell, L = 3, N = N, H = 13, lengths = false}
            pairs_of.check_rows(pairs_of.draw(rng, fixed), "cuda:0")
          end
        end
      ]])
    end)
  end

  test("the same bits from the way that is chosen, and saturated gates", function()
    local rng = new_rng(3)
    for cell = 1, #pairs_of.cells do
      local case = pairs_of.draw(rng, {cell = cell, L = 4, N = 3, H = 8})
      case.inputs.gx:mul_(50)
      pairs_of.check(case, device)
    end
  end)
end)
