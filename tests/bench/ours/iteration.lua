-- A training iteration of one half of the article, on a GPU: seconds, eager or in a CUDA graph.
package.path = arg[0]:match "^(.*)/ours/[^/]*$" .. "/?.lua;" .. package.path
local side = require "lib.side"
local gru = require "gru"

local d2l, nn, F = gru.d2l, gru.nn, gru.nn.functional
local args = side.arguments()
local function integer(name) return math.tointeger(args[name]) end
local hidden, batch, steps, vocab = integer "hidden", integer "batch", integer "steps", integer "vocab"
gru.manual_seed(0)
gru.set_default_device(args.device)

-- The article's second half: nn.GRU, an output layer, Adam.
local function layer_step()
  local model = d2l.RNNModel(nn.GRU(vocab, hidden), vocab)
  local params = model:parameters()
  local optimizer = gru.optim.Adam(params, {lr = 1e-2})
  return function(X, Y, H)
    local logits, state = model(X, H)
    local loss = F.cross_entropy(logits, Y:t():reshape(-1))
    optimizer:zero_grad()
    loss:backward()
    d2l.grad_clipping(params, 1e-2)
    optimizer:step()
    return loss:detach(), state:detach()
  end, gru.zeros(1, batch, hidden)
end

-- The first half: gates written with matmul, sigmoid and tanh; SGD.
local function scratch_step()
  local params = {}
  local function parameter(...)
    params[#params + 1] = nn.Parameter(gru.randn(...) * 0.01)
    return params[#params]
  end
  local function gate() return parameter(vocab, hidden), parameter(hidden, hidden), parameter(hidden) end
  local W_xz, W_hz, b_z = gate()
  local W_xr, W_hr, b_r = gate()
  local W_xh, W_hh, b_h = gate()
  local W_hq, b_q = parameter(hidden, vocab), parameter(vocab)
  return function(X, Y, H)
    local outputs = {}
    for t, x in ipairs(d2l.to_onehot(X, vocab)) do
      local Z = gru.sigmoid(gru.matmul(x, W_xz) + gru.matmul(H, W_hz) + b_z)
      local R = gru.sigmoid(gru.matmul(x, W_xr) + gru.matmul(H, W_hr) + b_r)
      local N = gru.tanh(gru.matmul(x, W_xh) + gru.matmul(R * H, W_hh) + b_h)
      H = Z * H + (1 - Z) * N
      outputs[t] = gru.matmul(H, W_hq) + b_q
    end
    local loss = F.cross_entropy(gru.cat(outputs, 1), Y:t():reshape(-1))
    for _, p in ipairs(params) do p.grad = nil end
    loss:backward()
    d2l.grad_clipping(params, 1e-2)
    d2l.sgd(params, 1e2, 1)
    return loss:detach(), H:detach()
  end, gru.zeros(batch, hidden)
end

local step, H = (args.half == "nn" and layer_step or scratch_step)()
local run = args.mode == "graph" and gru.cuda.graph(step) or step
local X = gru.randint(1, vocab + 1, {batch, steps})
local Y = gru.randint(1, vocab + 1, {batch, steps})
for _ = 1, 3 do run(X, Y, H) end -- eager, captured, replayed

local seconds = side.time(integer "samples", 1, function()
  for _ = 1, integer "count" do run(X, Y, H) end
  gru.cuda.synchronize()
end)
for i, s in ipairs(seconds) do seconds[i] = s / integer "count" end
side.print {seconds = seconds, nodes = {args.mode == "graph" and run:info().nodes or 0}}
