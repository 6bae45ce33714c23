--- One training iteration of each half of the article, on random ids: what is timed apart from a corpus.
local gru = require "gru"

local d2l, nn, F = gru.d2l, gru.nn, gru.nn.functional
local steps = {}

--- The second half: nn.GRU, an output layer, Adam.
-- @tparam integer vocab
-- @tparam integer hidden
-- @tparam integer batch
-- @treturn function `step(X, Y, H) -> loss, state`, of ids (batch, steps)
-- @treturn Tensor H before the first step
-- @treturn table the `model` and its `optimizer`
function steps.nn(vocab, hidden, batch)
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
  end, gru.zeros(1, batch, hidden), {model = model, optimizer = optimizer}
end

--- The first half: gates written with matmul, sigmoid and tanh; SGD.  Arguments and results as of `nn`.
function steps.scratch(vocab, hidden, batch)
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

return steps
