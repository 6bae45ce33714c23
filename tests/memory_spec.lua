-- What gru.memory() says, and what is kept of memory that is not needed any more.
local command_line = require "tests.support.command_line"
local gru = require "gru"

local MB = 1 << 20

-- What the system counts for this process now, in bytes.
local function resident()
  for line in io.lines "/proc/self/status" do
    local kb = line:match "^VmRSS:%s+(%d+) kB"
    if kb then return tonumber(kb) * 1024 end
  end
end

local function settle()
  collectgarbage()
  collectgarbage()
  gru.empty_cache()
end

-- What f needs while it runs has been given up by its end.
local function spike()
  local list = {}
  for i = 1, 60 do list[i] = gru.ones(MB) end
  return gru.memory().reserved + #list - 60
end

-- Calls f 300 times; the tensors take the same memory after 1 and after 300.
local function assert_flat(f)
  local live
  for _ = 1, 300 do
    f()
    if not live then
      settle()
      live = gru.memory().live
    end
  end
  settle()
  assert.equal(live, gru.memory().live)
end

describe("memory is flat over many calls, forward and backward, of", function()
  for _, kind in ipairs {"RNN", "LSTM", "GRU", "GRU before"} do
    for _, more in ipairs {
      {}, {bidirectional = true, num_layers = 2}, {lengths = true, batch_first = true}, {eval = true},
    } do
      local options = {
        reset = kind:match "before", num_layers = more.num_layers, bidirectional = more.bidirectional,
        batch_first = more.batch_first,
      }
      local layer = gru.nn[kind:match "%u+"](5, 6, options)
      it(tostring(layer) .. (more.lengths and ", lengths" or more.eval and ", no gradient" or ""), function()
        local x = gru.randn(4, 5, 5, {requires_grad = true})
        local rest = {lengths = more.lengths and {1, 4, 2, 3}}
        assert_flat(function()
          if more.eval then
            gru.no_grad(function() layer(x) end)
            layer(x) -- a graph that is dropped
          else
            layer(x, nil, rest):square():sum():backward()
            gru.autograd.grad(layer(x, nil, rest):sum(), x, {create_graph = true})
            x.grad = nil
            layer:zero_grad()
          end
        end)
      end)
    end
  end
end)

describe("memory()", function()
  before_each(settle)

  it("has the bytes of tensors, the most of them, and what was taken for them", function()
    gru.reset_peak_memory()
    local start = gru.memory()
    assert.equal(start.live, start.peak)
    local x = gru.zeros(3, 1000)
    assert.equal(start.live + 12000, gru.memory().live)
    local y = x * 2
    assert.equal(start.live + 24000, gru.memory().live)
    assert.equal(start.live + 24000, gru.memory().peak)
    local reserved = gru.memory().reserved - start.reserved
    assert.is_true(reserved >= 24000 and reserved <= 24000 * 9 // 8)
    assert.equal(1000, y:narrow(1, 1, 1):numel()) -- a view takes nothing
    assert.equal(start.live + 24000, gru.memory().live)
  end)

  it("has nothing of what is gone", function()
    local start = gru.memory()
    spike()
    settle()
    assert.equal(start.live, gru.memory().live)
    assert.equal(start.reserved, gru.memory().reserved)
  end)

  it("counts the peak anew from reset_peak_memory", function()
    spike()
    settle()
    assert.is_true(gru.memory().peak >= gru.memory().live + 240 * MB)
    gru.reset_peak_memory("cpu")
    assert.equal(gru.memory().live, gru.memory().peak)
    local y = gru.empty(10)
    assert.equal(gru.memory().live, gru.memory().peak)
    assert.equal(10, y:numel())
  end)

  it("forgets a spike: the system has its memory back", function()
    local before, rss = gru.memory().reserved, resident()
    assert.is_true(spike() >= before + 240 * MB)
    settle()
    assert.equal(before, gru.memory().reserved)
    if not os.getenv "ASAN_OPTIONS" then assert.is_true(resident() < rss + 40 * MB) end
  end)

  it("stays near what an expression needs: its intermediate results go while others are made", function()
    local script = [[
      local gru = require "gru"
      local x, kept = gru.ones(64, 1024), {}
      gru.reset_peak_memory()
      local start = gru.memory().live
      for i = 1, 8 do -- 1 MB each, of which 256 KB are kept
        kept[i] = (x + 1) * 2 - x + i
      end
      print(gru.memory().peak - start)
    ]]
    local function peak(setup)
      local command = ("'%s' -e '%s' -e '%s'"):format(command_line.program, setup, script)
      return tonumber((command_line.capture(command)))
    end
    assert.is_true(peak "" <= 5 * MB)
    assert.is_true(peak [[collectgarbage "stop"]] >= 8 * MB) -- and no step is taken
  end)

  it("keeps small results few, for the caches' sake, unless a large heap makes that dear", function()
    local script = [[
      local gru = require "gru"
      local x = gru.ones(8)
      gru.reset_peak_memory()
      local start = gru.memory().live
      for _ = 1, 20000 do x:add(1) end -- 32 bytes each
      print((gru.memory().peak - start) // 32)
    ]]
    local function most(setup)
      local command = ("'%s' -e '%s' -e '%s'"):format(command_line.program, setup, script)
      return tonumber((command_line.capture(command)))
    end
    assert.is_true(most "" < 500)
    assert.is_true(most "many = {} for i = 1, 1000000 do many[i] = i end" > 2000)
    assert.equal(20000, most [[collectgarbage "stop"]])
  end)

  it("and so it goes, in time, without empty_cache", function()
    local before = gru.memory().reserved
    spike()
    collectgarbage()
    local x = gru.ones(10)
    for _ = 1, 140 do
      for _ = 1, 1000 do x:add(1) end
      collectgarbage "step"
    end
    collectgarbage()
    assert.is_true(gru.memory().reserved < before + 80 * MB,
      ("%d bytes are reserved"):format(gru.memory().reserved))
  end)
end)
