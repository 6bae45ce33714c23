-- nn.GRU, forward and backward, in several sizes "hidden:steps:batch:layers": seconds a call.
package.path = arg[0]:match "^(.*)/ours/[^/]*$" .. "/?.lua;" .. package.path
local side = require "lib.side"
local gru = require "gru"

local args = side.arguments()
local inputs = math.tointeger(args.inputs)
local CALLS = 3 -- of a loop; the first loop, which does not count, also brings in the memory
local samples = {}
for name, H, T, B, L in args.sizes:gmatch "((%d+):(%d+):(%d+):(%d+))" do
  H, T, B, L = math.tointeger(H), math.tointeger(T), math.tointeger(B), math.tointeger(L)
  local layer = gru.nn.GRU(inputs, H, {num_layers = L})
  local x = gru.randn(T, B, inputs)
  samples[name] = side.time(args.samples, CALLS, function()
    layer:zero_grad()
    layer(x):sum():backward()
  end)
end
side.print(samples)
