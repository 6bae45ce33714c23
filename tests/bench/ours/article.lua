-- The article's example as a user runs it: seconds an epoch, and the memory of the whole script.
package.path = arg[0]:match "^(.*)/ours/[^/]*$" .. "/?.lua;" .. package.path
local side = require "lib.side"
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

_G.arg = options
dofile(program) -- it prints, too; the samples are the last line

local samples = {epoch_scratch = {}, epoch_nn = {}, memory = {side.peak_memory()}}
for line in io.lines(log) do
  local epoch = json.decode(line)
  local list = samples["epoch_" .. epoch.half]
  if epoch.epoch > args.warm then list[#list + 1] = epoch.seconds end
end
os.remove(log)
side.print(samples)
