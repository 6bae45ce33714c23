-- A product of two square matrices of floats: seconds.
package.path = arg[0]:match "^(.*)/ours/[^/]*$" .. "/?.lua;" .. package.path
local side = require "lib.side"
local gru = require "gru"

local args = side.arguments()
local n = math.tointeger(args.size)
local a, b = gru.randn(n, n), gru.randn(n, n)
side.print {matmul = side.time(args.samples, 1, function() return a:matmul(b) end)}
