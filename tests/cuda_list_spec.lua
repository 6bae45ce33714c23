-- Steps of optimisers, clipping and scaling over lists on a CUDA device: as on the CPU.
local gru = require "gru"
local core = require "gru.core"
local devices = require "tests.support.devices"

local optim = gru.optim

-- A tile of the kernels is 1024 elements, and a launch takes 40 parts.
local SHAPES = {{3}, {70, 30}, {}, {0, 3}, {9, 7}, {1, 5}, {1024}, {1025}, {3000}}

-- Lists of `n` tensors on the CPU: parameters, and a function that makes gradients.
local function parameters(n, dtype)
  gru.manual_seed(5)
  local list = {}
  for i = 1, n do
    list[i] = gru.randn(SHAPES[(i - 1) % #SHAPES + 1], {dtype = dtype, device = "cpu"})
  end
  return list
end

local function copies(list, where)
  local out = {}
  for i, x in ipairs(list) do out[i] = x:to(where):clone() end
  return out
end

local function bits_of(list)
  local out = {}
  for i, x in ipairs(list) do
    for _, v in ipairs(x:detach():to("cpu"):reshape(-1):totable()) do
      out[#out + 1] = string.pack("d", v)
    end
    out[#out + 1] = "|" .. i
  end
  return table.concat(out)
end

-- What four steps lead to: the parameters, then their states.
local function stepped(name, options, dtype, where, misaligned)
  local params = copies(parameters(50, dtype), where)
  if misaligned then -- views that start one element into their memory
    for i, p in ipairs(params) do
      local wide = gru.zeros({p:numel() + 1}, {dtype = dtype, device = where})
      params[i] = wide:narrow(1, 2, p:numel()):copy_(p:reshape(-1)):reshape(p.shape)
    end
  end
  for i, p in ipairs(params) do params[i] = p:detach():requires_grad_() end
  local optimizer = optim[name](params, options)
  gru.manual_seed(6)
  for step = 1, 4 do
    for i, p in ipairs(params) do
      local g = gru.randn(p.shape, {dtype = dtype, device = "cpu"}):to(where)
      p.grad = (i + step) % 7 ~= 0 and g or nil
    end
    optimizer:step()
  end
  local out = {table.unpack(params)}
  for i = 1, #params do
    local state = optimizer:state_dict().state[i] or {}
    for _, key in ipairs {"momentum_buffer", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"} do
      if state[key] then out[#out + 1] = state[key] end
    end
  end
  return out
end

describe("Steps over lists", function() devices.on_cuda(function(device)
  local cases = {
    {"SGD", {lr = 0.1}}, {"SGD", {lr = 0.1, weight_decay = 0.1, maximize = true}},
    {"SGD", {lr = 0.1, momentum = 0.9}},
    {"SGD", {lr = 0.1, momentum = 0.9, nesterov = true, weight_decay = 0.1}},
    {"SGD", {lr = 0.1, momentum = 0.9, dampening = 0.3}},
    {"Adam", {lr = 0.1}}, {"Adam", {lr = 0.1, amsgrad = true, weight_decay = 0.1}},
    {"Adam", {lr = 0.1, betas = {0.5, 0.7}, eps = 0.01, maximize = true}},
    {"AdamW", {lr = 0.1, weight_decay = 0.5}},
  }
  for i, case in ipairs(cases) do
    for _, dtype in ipairs {"float32", "float64"} do
      it(("give the bits of the CPU: %s %d, %s"):format(case[1], i, dtype), function()
        local here = bits_of(stepped(case[1], case[2], dtype, "cpu"))
        local there = bits_of(stepped(case[1], case[2], dtype, device))
        assert.is_true(here == there)
        assert.is_true(there == bits_of(stepped(case[1], case[2], dtype, device, true))) -- and again
      end)
    end
  end

  it("read the scale on the device", function()
    for _, dtype in ipairs {"float32", "float64"} do
      local out = {}
      for _, where in ipairs {"cpu", device} do
        local p, g = copies(parameters(45, dtype), where), copies(parameters(45, dtype), where)
        local scale = gru.tensor(0.37, {dtype = dtype}):to(where)
        local items = {}
        for i = 1, #p do items[i] = {p[i], g[i], 1} end
        core.sgd_step(items, {lr = 0.1, momentum = 0, dampening = 0, weight_decay = 0}, scale)
        core.scale_(g, scale)
        core.scale_(p, gru.tensor(1, {dtype = dtype}):to(where))
        out[#out + 1] = bits_of(p) .. bits_of(g)
      end
      assert.is_true(out[1] == out[2])
    end
  end)

  it("take the norm of many tensors, one of them large", function()
    for _, dtype in ipairs {"float32", "float64"} do
      for _, p in ipairs {2, math.huge} do
        local list = parameters(90, dtype)
        list[91] = gru.randn({200001}, {dtype = dtype, device = "cpu"})
        local there = copies(list, device)
        local total, scale = core.clip_norm(list, p, 0.5, 1e-6)
        local total2, scale2 = core.clip_norm(there, p, 0.5, 1e-6)
        local again, scale3 = core.clip_norm(there, p, 0.5, 1e-6)
        local tol = dtype == "float32" and 1e-7 or 1e-13
        assert.is_true(math.abs(total:item() / total2:item() - 1) <= tol)
        assert.is_true(math.abs(scale:item() / scale2:item() - 1) <= 2 * tol)
        assert.equal(total2:item(), again:item())
        assert.equal(scale2:item(), scale3:item())
      end
    end
  end)

  local function number(t) return (tostring(t:item()):gsub("-nan", "nan")) end

  it("clip nothing, infinities and NaN as the CPU does", function()
    for _, numbers in ipairs {{0, 0}, {1 / 0, 1}, {0 / 0, 1}, {0.1, -0.1}} do
      for _, p in ipairs {2, math.huge} do
        for _, eps in ipairs {0, 1e-6} do
          local x = gru.tensor(numbers, {dtype = "float32", device = "cpu"})
          local total, scale = core.clip_norm({x}, p, 0.5, eps)
          local total2, scale2 = core.clip_norm({x:to(device)}, p, 0.5, eps)
          assert.equal(number(total), number(total2))
          assert.equal(number(scale), number(scale2))
        end
      end
    end
    local total, scale = core.clip_norm({gru.zeros({0}):to(device)}, 2, 1, 0)
    assert.equal(0, total:item())
    assert.equal(1, scale:item())
  end)
end) end)
