-- One op on eight floats from Lua, garbage collection counted in: seconds an op.
package.path = arg[0]:match "^(.*)/ours/[^/]*$" .. "/?.lua;" .. package.path
local side = require "lib.side"
local gru = require "gru"

local args = side.arguments()
local a, b = gru.rand(8), gru.rand(8)
local w = gru.rand(8, {requires_grad = true})
local samples, count = args.samples, args.count

local plain = side.time(samples, count, function() return a + b end)
local method = side.time(samples, count, function() return a:sigmoid() end)
local in_place = side.time(samples, count, function() a:mul_(1) end)
local recorded = side.time(samples, count, function() return w + b end)
local backward = side.time(samples, count // 10, function() (w * b):sum():backward() end)
side.print {add = plain, sigmoid = method, mul_ = in_place, recorded = recorded, backward = backward}
