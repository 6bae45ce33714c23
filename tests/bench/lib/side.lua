--- What the scripts in ours/ share: arguments `key=value`, timing, and the line they print.
local gru = require "gru"
local core = require "gru.core"
local json = require "dkjson"

local side = {}

--- The arguments, numbers as numbers; sets the number of threads.
function side.arguments()
  local args = {}
  for _, word in ipairs(arg) do
    local key, value = word:match "^([%w_]+)=(.*)$"
    args[key] = tonumber(value) or value
  end
  gru.set_num_threads(math.tointeger(args.threads) or 1)
  return args
end

--- Seconds a call of f(), over `samples` loops of `count` calls each; one loop before does not count.
function side.time(samples, count, f)
  local list = {}
  for i = 0, samples do
    local start = core.clock()
    for _ = 1, count do f() end
    list[i] = (core.clock() - start) / count
  end
  list[0] = nil
  return list
end

--- The most memory that this process has held, in bytes.
function side.peak_memory()
  for line in io.lines "/proc/self/status" do
    local kilobytes = line:match "^VmHWM:%s*(%d+) kB"
    if kilobytes then return kilobytes * 1024 end
  end
end

--- Prints the samples: a table from the name of a figure to a list.
function side.print(samples)
  print(json.encode(samples))
end

return side
