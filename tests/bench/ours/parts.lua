-- A training iteration of nn.GRU, and what it is made of, each part alone and again and again: seconds.
-- The products are not among the parts: `product`, a large one, tells their rate, and `copy` that of memory.
package.path = arg[0]:match "^(.*)/ours/[^/]*$" .. "/?.lua;" .. package.path
local side = require "lib.side"
local steps = require "lib.steps"
local gru = require "gru"

local F = gru.nn.functional
local args = side.arguments()
local function integer(name) return math.tointeger(args[name]) end
local hidden, batch, vocab, length = integer "hidden", integer "batch", integer "vocab", integer "steps"
gru.manual_seed(0)

local function ids() return gru.randint(1, vocab + 1, {batch, length}) end
local step, H, made = steps.nn(vocab, hidden, batch)
local X, Y = ids(), ids()
step(X, Y, H) -- every parameter has a gradient now
local params, layer = made.model:parameters(), made.model.rnn
local inputs, targets = F.one_hot(X:t(), vocab):to "float32", Y:t():reshape(-1)
local dy, dlogits = gru.randn(length, batch, hidden), gru.randn(length * batch, vocab)
local logits = gru.randn(length * batch, vocab, {requires_grad = true})
local a, b = gru.randn(integer "size", integer "size"), gru.randn(integer "size", integer "size")
local large = gru.randn(integer "copied")

local parts = {
  {"iteration", function() step(X, Y, H) end},
  {"product", function() a:matmul(b) end},
  {"copy", function() large:clone() end},
  {"layer", function()
    for _, p in ipairs(layer:parameters()) do p.grad = nil end
    local y = layer(inputs, H)
    y:backward(dy)
  end},
  {"loss", function()
    logits.grad = nil
    F.cross_entropy(logits, targets):backward()
    dlogits:sum(1) -- the gradient of the output layer's bias
  end},
  {"update", function()
    gru.d2l.grad_clipping(params, 1e-2)
    made.optimizer:step()
  end},
}

local samples = {}
for _, part in ipairs(parts) do samples[part[1]] = {} end
for i = 1, integer "samples" do
  for _, part in ipairs(parts) do samples[part[1]][i] = side.time(1, 1, part[2])[1] end
end
side.print(samples)
