-- A training iteration of one half of the article, on a GPU: seconds, eager or in a CUDA graph.
package.path = arg[0]:match "^(.*)/ours/[^/]*$" .. "/?.lua;" .. package.path
local side = require "lib.side"
local steps = require "lib.steps"
local gru = require "gru"

local args = side.arguments()
local function integer(name) return math.tointeger(args[name]) end
local hidden, batch, vocab = integer "hidden", integer "batch", integer "vocab"
gru.manual_seed(0)
gru.set_default_device(args.device)

local step, H = steps[args.half](vocab, hidden, batch)
local run = args.mode == "graph" and gru.cuda.graph(step) or step
local X = gru.randint(1, vocab + 1, {batch, integer "steps"})
local Y = gru.randint(1, vocab + 1, {batch, integer "steps"})
for _ = 1, 3 do run(X, Y, H) end -- eager, captured, replayed

local seconds = side.time(integer "samples", 1, function()
  for _ = 1, integer "count" do run(X, Y, H) end
  gru.cuda.synchronize()
end)
for i, s in ipairs(seconds) do seconds[i] = s / integer "count" end
side.print {seconds = seconds, nodes = {args.mode == "graph" and run:info().nodes or 0}}
