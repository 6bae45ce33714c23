-- The functions of the gates, and exp, over a million floats: seconds an element.
package.path = arg[0]:match "^(.*)/ours/[^/]*$" .. "/?.lua;" .. package.path
local side = require "lib.side"
local gru = require "gru"

local args = side.arguments()
local x = gru.randn(math.tointeger(args.elements))
local samples = {}
for _, name in ipairs {"exp", "sigmoid", "tanh"} do
  local f = gru[name]
  samples[name] = side.time(args.samples, args.count, function() return f(x) end)
  for i, s in ipairs(samples[name]) do samples[name][i] = s / args.elements end
end
side.print(samples)
