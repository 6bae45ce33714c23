--- The optimisers that the core computes in one pass, written with tensor ops: what they are compared
-- with.  `composed[name](p, g, state, options)` is one step of one parameter, equations as in gru.h.
local composed = {}

local function descend(p, g, o, decoupled)
  if o.maximize then g = -g end
  if (o.weight_decay or 0) ~= 0 and not decoupled then g = g + p * o.weight_decay end
  return g
end

function composed.SGD(p, g, state, o)
  local m = o.momentum or 0
  g = descend(p, g, o)
  if m ~= 0 then
    local buf = state.momentum_buffer
    buf = buf and buf * m + g * (1 - (o.dampening or 0)) or g:clone()
    state.momentum_buffer = buf
    g = o.nesterov and g + buf * m or buf
  end
  p:sub_(g * o.lr)
end

local function adam(p, g, state, o, decoupled)
  local beta1, beta2 = table.unpack(o.betas or {0.9, 0.999})
  g = descend(p, g, o, decoupled)
  if decoupled then p:mul_(1 - o.lr * (o.weight_decay or 1e-2)) end
  local t = (state.step or 0) + 1
  local m = (state.exp_avg or p * 0) * beta1 + g * (1 - beta1)
  local v = (state.exp_avg_sq or p * 0) * beta2 + g * g * (1 - beta2)
  state.step, state.exp_avg, state.exp_avg_sq = t, m, v
  if o.amsgrad then
    v = (state.max_exp_avg_sq or p * 0):maximum(v)
    state.max_exp_avg_sq = v
  end
  p:sub_(m * (o.lr / (1 - beta1 ^ t)) / (v:sqrt() / math.sqrt(1 - beta2 ^ t) + (o.eps or 1e-8)))
end

function composed.Adam(p, g, state, o) adam(p, g, state, o, false) end

function composed.AdamW(p, g, state, o) adam(p, g, state, o, true) end

return composed
