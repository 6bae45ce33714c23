-- The article's example as a user runs it: seconds an epoch, and the memory of the whole script.
-- With `product=N` two matrices of N x N are multiplied between the epochs: `product` has the seconds of
-- that, for each epoch that counts the mean of before and after.
package.path = arg[0]:match "^(.*)/ours/[^/]*$" .. "/?.lua;" .. package.path
local side = require "lib.side"
local gru = require "gru"
local json = require "dkjson"

local args = side.arguments()
local log = os.tmpname()
local program = "examples/jay_lyrics.lua"
local options = {
  [0] = program, "--half", args.half, "--corpus", args.corpus, "--prefix", args.prefix, "--log", log,
}
for _, name in ipairs {"epochs", "hidden", "steps", "batch", "period", "threads"} do
  table.move({"--" .. name, tostring(math.tointeger(args[name]))}, 1, 2, #options + 1, options)
end

local products = {}
if args.product then
  package.path = "examples/?.lua;" .. package.path
  local report = require "jay_lyrics.report"
  local n, reporter = math.tointeger(args.product), report.reporter
  local a, b = gru.randn(n, n), gru.randn(n, n)
  function report.reporter(...)
    local next_reporter = reporter(...)
    return function(epoch)
      next_reporter(epoch)
      products[#products + 1] = side.time(1, 1, function() a:matmul(b) end)[1]
    end
  end
end

_G.arg = options
dofile(program) -- it prints, too; the samples are the last line

local samples = {epoch_scratch = {}, epoch_nn = {}, product = {}, memory = {side.peak_memory()}}
for line in io.lines(log) do
  local epoch = json.decode(line)
  local list = samples["epoch_" .. epoch.half]
  if epoch.epoch > args.warm then
    list[#list + 1] = epoch.seconds
    local before, after = products[epoch.epoch - 1], products[epoch.epoch]
    if after then table.insert(samples.product, (before + after) / 2) end
  end
end
os.remove(log)
side.print(samples)
