-- Weights that come again in products are kept packed: whatever changes their elements must be seen.
local gru = require "gru"
local nn, optim = gru.nn, gru.optim

local ROWS, K, N = 16, 200, 101 -- large enough to be shared between threads, as what is kept is

-- The product with a copy, which nothing has packed before.
local function fresh(x, w, transposed)
  local copy = w:detach():clone()
  return x:matmul(transposed and copy:t() or copy)
end

local function same(a, b) return gru.equal(a, b) end

-- What changes w in place; w is a leaf without history.
local changes = {
  ["add_"] = function(w) w:add_(1) end,
  ["mul_ of a transposed view"] = function(w) w:t():mul_(2) end,
  ["copy_"] = function(w) w:copy_(gru.randn(w.shape)) end,
  ["copy_ to a part"] = function(w) w:narrow(1, 2, 3):copy_(gru.randn(3, w:size(2))) end,
  ["fill_ of a row"] = function(w) w[3]:fill_(7) end,
  ["zero_"] = function(w) w:zero_() end,
  ["an assignment"] = function(w) w[{2, 3}] = 5 end,
  ["an assignment by mask"] = function(w) w[w:gt(0)] = -1 end,
  ["uniform_"] = function(w) w:uniform_(-1, 1) end,
  ["normal_"] = function(w) w:normal_(0, 1) end,
  ["bernoulli_"] = function(w) w:bernoulli_(0.5) end,
  ["a function of nn.init"] = function(w) nn.init.xavier_uniform_(w) end,
  ["clamp_"] = function(w) w:clamp_(-0.1, 0.1) end,
  ["an operand of clip_grad_norm_"] = function(w)
    local p = nn.Parameter(gru.zeros(w.shape))
    p.grad = w
    nn.utils.clip_grad_norm_({p}, 1e-3)
  end,
  ["new elements of a parameter"] = function(w)
    local from = nn.Linear(w:size(2), w:size(1))
    local to = nn.Linear(w:size(2), w:size(1))
    to.weight = w
    to:load_state_dict(from:state_dict())
  end,
}
for _, name in ipairs {"SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta"} do
  changes["a step of " .. name] = function(w)
    w.grad = gru.ones(w.shape)
    optim[name]({w}, {lr = 0.1}):step()
  end
end

describe("a product with a weight that is kept packed", function()
  for _, transposed in ipairs {true, false} do
    for name, change in pairs(changes) do
      it(("sees %s%s"):format(name, transposed and ", transposed" or ""), function()
        local w = nn.Parameter(transposed and gru.randn(N, K) or gru.randn(K, N))
        local x = gru.randn(ROWS, K)
        local function product() return x:matmul(transposed and w:t() or w):detach() end
        for _ = 1, 4 do assert.is_true(same(product(), fresh(x, w, transposed))) end
        local before = w:detach():clone()
        do
          local _ <close> = gru.no_grad()
          change(w)
        end
        assert.is_false(same(w:detach(), before), name .. " changes nothing")
        for _ = 1, 4 do assert.is_true(same(product(), fresh(x, w, transposed))) end
      end)
    end
  end

  it("is right when many take turns", function()
    local weights, x = {}, gru.randn(ROWS, K)
    for i = 1, 40 do weights[i] = gru.randn(K, N) end
    for round = 1, 6 do
      for i, w in ipairs(weights) do
        if (i + round) % 7 == 0 then w:add_(1) end
        assert.is_true(same(x:matmul(w), fresh(x, w)))
        if i % 3 == 0 then assert.is_true(same(x:matmul(w), fresh(x, w))) end
      end
    end
  end)

  it("is right when storages come and go", function()
    local x = gru.randn(ROWS, K)
    for i = 1, 300 do
      local w = gru.full({K, N}, i)
      for _ = 1, 3 do
        assert.is_true(gru.allclose(x:matmul(w), (x:sum(2, true) * i):expand(ROWS, N), 1e-3, 1e-2))
      end
      w = nil -- luacheck: ignore
      if i % 10 == 0 then collectgarbage() end
    end
  end)
end)
