-- The gradient of a matrix used at many steps: pairs that wait, and groups of them that idle threads
-- multiply before their turn.
local gru = require "gru"
local agree = require "tests.support.agree"
local expect = require "tests.support.expect"
local nd = require "tests.support.nd"

local same, raises = expect.values, expect.raises

-- Enough rows for several groups, sizes that are worth one.
local STEPS, ROWS, WIDTH, OUT = 61, 21, 90, 77

local function random(seed, dtype, shape)
  gru.manual_seed(seed)
  return gru.randn(shape, {dtype = dtype})
end

-- Steps of inputs, and of what arrives at the outputs.
local function steps_of(dtype, count, rows)
  local xs, gs = {}, {}
  for t = 1, count do
    xs[t] = random(100 + t, dtype, {rows, WIDTH})
    gs[t] = random(500 + t, dtype, {rows, OUT})
  end
  return xs, gs
end

-- sum_t <y_t, g_t>, whose gradient by y_t is g_t.
local function loss_of(ys, gs)
  local total = 0
  for t, y in ipairs(ys) do total = total + (y * gs[t]):sum() end
  return total
end

-- sum_t x_t^T g_t as one product.
local function wanted(xs, gs) return gru.cat(xs, 1):t():matmul(gru.cat(gs, 1)) end

local tolerance = {float32 = 1e-3, float64 = 1e-11}

describe("a matrix used at many steps", function()
  for _, dtype in ipairs {"float32", "float64"} do
    for _, count in ipairs {1, 5, 24, 25, STEPS} do
      it(("has the gradient of one product: %d steps, %s"):format(count, dtype), function()
        local w = random(1, dtype, {WIDTH, OUT}):requires_grad_()
        local xs, gs = steps_of(dtype, count, ROWS)
        local ys = {}
        for t, x in ipairs(xs) do ys[t] = x:matmul(w) end
        loss_of(ys, gs):backward()
        same(w.grad, nd.of(wanted(xs, gs)), tolerance[dtype])
      end)
    end

    it("seen through its transpose, " .. dtype, function()
      local w = random(1, dtype, {OUT, WIDTH}):requires_grad_()
      local xs, gs = steps_of(dtype, STEPS, ROWS)
      local ys = {}
      for t, x in ipairs(xs) do ys[t] = x:matmul(w:t()) end
      loss_of(ys, gs):backward()
      same(w.grad, nd.of(wanted(xs, gs):t()), tolerance[dtype])
    end)
  end

  it("as views, and with thick steps and one-hot ones among them", function()
    local dtype = "float64"
    local w = random(1, dtype, {WIDTH, OUT}):requires_grad_()
    local xs, gs = steps_of(dtype, STEPS, ROWS)
    for t = 1, STEPS, 3 do xs[t] = random(t, dtype, {WIDTH, ROWS}):t() end
    for t = 2, STEPS, 5 do gs[t] = random(t, dtype, {OUT, ROWS}):t() end
    xs[20], gs[20] = random(2, dtype, {300, WIDTH}), random(3, dtype, {300, OUT})
    xs[30] = gru.one_hot(gru.randint(1, WIDTH + 1, {ROWS}), WIDTH):to(dtype)
    local ys = {}
    for t, x in ipairs(xs) do ys[t] = x:matmul(w) end
    loss_of(ys, gs):backward()
    same(w.grad, nd.of(wanted(xs, gs)), tolerance[dtype])
  end)

  it("and several of them, at once and again", function()
    local dtype = "float64"
    local a = random(1, dtype, {WIDTH, OUT}):requires_grad_()
    local b = random(2, dtype, {WIDTH, OUT}):requires_grad_()
    local xs, gs = steps_of(dtype, STEPS, ROWS)
    local ys = {}
    for t, x in ipairs(xs) do ys[t] = x:matmul(a) + x:matmul(b) * 2 end
    local loss = loss_of(ys, gs)
    local want = wanted(xs, gs)
    for times = 1, 2 do
      loss:backward(nil, {retain_graph = times == 1})
      same(a.grad, nd.of(want * times), tolerance[dtype])
      same(b.grad, nd.of(want * (2 * times)), tolerance[dtype])
    end
  end)

  it("hooks and functions of one's own in between see what they always saw", function()
    local dtype = "float64"
    local w = random(1, dtype, {WIDTH, OUT}):requires_grad_()
    local xs, gs = steps_of(dtype, STEPS, ROWS)
    local want = wanted(xs, gs)
    local ys, seen = {}, 0
    for t, x in ipairs(xs) do
      ys[t] = x:matmul(w)
      ys[t]:register_hook(function(g)
        seen = seen + 1
        assert.equal(g:sum():item(), gs[t]:sum():item())
        return g * 1
      end)
    end
    loss_of(ys, gs):backward()
    assert.equal(STEPS, seen)
    same(w.grad, nd.of(want), tolerance[dtype])
  end)

  it("fails where a hook changes what waits, and works afterwards", function()
    local w = random(1, "float32", {WIDTH, OUT}):requires_grad_()
    local xs, gs = steps_of("float32", STEPS, ROWS)
    local want = wanted(xs, gs)
    local function run(hook)
      local ys = {}
      for t, x in ipairs(xs) do ys[t] = x:matmul(w) end
      if hook then ys[STEPS - 33]:register_hook(hook) end
      loss_of(ys, gs):backward()
    end
    raises("backward: a tensor of shape %[21, 90%] that matmul saved has been changed in place during "
      .. "backward", run, function() xs[STEPS - 32]:add_(0) end)
    raises("boom", run, function() error "boom" end)
    w.grad = nil
    run()
    same(w.grad, nd.of(want), tolerance.float32)
  end)

  it("sees a leaf's gradient as it was when it was used, though more is added to it", function()
    local before = gru.get_num_threads()
    for _, threads in ipairs {1, 2, 4} do
      gru.set_num_threads(threads)
      local a = random(1, "float32", {64, 512}):requires_grad_()
      local w = random(2, "float32", {512, 512}):requires_grad_()
      a.grad = gru.ones(64, 512)
      local total = 0
      for _ = 1, 8 do total = total + a.grad:matmul(w):sum() end
      (total + (a * 1000):sum()):backward()
      assert.equal(512, w.grad:max():item())
      assert.equal(512, w.grad:min():item())
      assert.equal(1001, a.grad:max():item())
    end
    gru.set_num_threads(before)
  end)

  it("takes views, of a matrix too small for groups, too", function()
    for _, rows in ipairs {480, 512, 528} do
      local base = random(1, "float64", {rows, 40})
      local w = random(2, "float64", {16, 16}):requires_grad_()
      local total, xs, gs = 0, {}, {}
      for t = 1, rows, 16 do
        xs[#xs + 1] = base:narrow(1, t, 16):narrow(2, 3, 16)
        gs[#gs + 1] = random(t, "float64", {16, 16})
        total = total + (xs[#xs]:matmul(w) * gs[#gs]):sum()
      end
      total:backward()
      same(w.grad, nd.of(wanted(xs, gs)), tolerance.float64)
    end
  end)

  it("leaves no memory behind", function()
    local w = random(1, "float32", {WIDTH, OUT}):requires_grad_()
    local xs, gs = steps_of("float32", STEPS, ROWS)
    local live
    for round = 1, 6 do
      local ys = {}
      for t, x in ipairs(xs) do ys[t] = x:matmul(w) end
      w.grad = nil
      loss_of(ys, gs):backward()
      ys = nil -- luacheck: ignore
      collectgarbage()
      collectgarbage()
      live = live or gru.memory().live
      assert.equal(live, gru.memory().live, "round " .. round)
    end
  end)
end)

describe("a GRU from scratch", function()
  it("has the gradients of its parameters, float64", function()
    local T, N, V, H = 30, 11, 40, 72
    local names = {"W_xz", "W_hz", "b_z", "W_xr", "W_hr", "b_r", "W_xh", "W_hh", "b_h", "W_hq", "b_q"}
    local sizes = {{V, H}, {H, H}, {H}, {V, H}, {H, H}, {H}, {V, H}, {H, H}, {H}, {H, V}, {V}}
    local p = {}
    for i, name in ipairs(names) do
      p[name] = (random(i, "float64", sizes[i]) * .2):requires_grad_()
    end
    gru.manual_seed(77)
    local x = gru.one_hot(gru.randint(1, V + 1, {T, N}), V):to("float64")
    local function loss()
      local h, total = gru.zeros(N, H, {dtype = "float64"}), 0
      for t = 1, T do
        local z = (x[t]:matmul(p.W_xz) + h:matmul(p.W_hz) + p.b_z):sigmoid()
        local r = (x[t]:matmul(p.W_xr) + h:matmul(p.W_hr) + p.b_r):sigmoid()
        local n = (x[t]:matmul(p.W_xh) + (r * h):matmul(p.W_hh) + p.b_h):tanh()
        h = z * h + (1 - z) * n
        total = total + (h:matmul(p.W_hq) + p.b_q):square():mean()
      end
      return total
    end
    loss():backward()
    -- against a difference along a random direction in each parameter
    for i, name in ipairs(names) do
      local direction, eps = random(1000 + i, "float64", sizes[i]), 1e-5
      local _ <close> = gru.no_grad()
      local slope = (p[name].grad * direction):sum():item()
      p[name]:add_(direction * eps)
      local above = loss():item()
      p[name]:sub_(direction * (2 * eps))
      local below = loss():item()
      p[name]:add_(direction * eps)
      local tolerated = agree.backward.float64 * 1e4 * math.max(1, math.abs(slope))
      assert.near((above - below) / (2 * eps), slope, tolerated, name)
    end
  end)
end)
