-- Steps of optimisers, and clipping, on the parameters of the article's second model: seconds a step.
package.path = arg[0]:match "^(.*)/ours/[^/]*$" .. "/?.lua;" .. package.path
local side = require "lib.side"
local gru = require "gru"

local args = side.arguments()
local vocab, hidden = math.tointeger(args.vocab), math.tointeger(args.hidden)
local model = gru.d2l.RNNModel(gru.nn.GRU(vocab, hidden), vocab)
local params = model:parameters()
for _, p in ipairs(params) do p.grad = gru.randn(p.shape) * 0.01 end

local adam = gru.optim.Adam(params, {lr = 1e-5})
local sgd = gru.optim.SGD(params, {lr = 1e-5})
side.print {
  adam = side.time(args.samples, args.count, function() adam:step() end),
  sgd = side.time(args.samples, args.count, function() sgd:step() end),
  clip = side.time(args.samples, args.count, function()
    gru.nn.utils.clip_grad_norm_(params, 0.01)
  end),
}
