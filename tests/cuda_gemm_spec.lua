-- Products on a CUDA device against those of the CPU: kinds of kernels, layouts, empty sizes.
local agree = require "tests.support.agree"
local devices = require "tests.support.devices"
local gru = require "gru"
local new_rng = require "tests.support.rng"

local device = devices.cuda()

local function same(got, want, tol)
  local ok, message = agree.tensors(got:cpu(), want, tol)
  assert(ok, message)
end

-- A matrix on the CPU: as it lies, or stored the other way round, or cut out of a larger one.
local function matrix(rng, rows, cols, dtype, ...)
  local batch = {...}
  local function make(r, c)
    local shape = {table.unpack(batch)}
    shape[#shape + 1], shape[#shape + 2] = r, c
    if dtype == "int64" then return gru.randint(-(1 << 40), 1 << 40, shape) end
    return gru.randn(shape, {dtype = dtype})
  end
  local how = rng(3)
  if how == 1 then return make(rows, cols) end
  if how == 2 then return make(cols, rows):transpose(-1, -2) end
  return make(rows, cols + 5):narrow(-1, rng(6), cols)
end

local TOLERANCE = {float32 = 1e-5, float64 = 1e-12, int64 = 0}

local function check(a, b)
  -- The layout travels: what is moved is the whole of which the operand is a view.
  local function moved(x)
    local whole = x:transpose(-1, -2):is_contiguous() and x:transpose(-1, -2)
    return whole and whole:to(device):transpose(-1, -2) or x:to(device)
  end
  local got = gru.matmul(moved(a), moved(b))
  same(got, gru.matmul(a, b), TOLERANCE[a.dtype])
  local again = gru.matmul(moved(a), moved(b))
  assert.is_true(got:cpu():equal(again:cpu()))
end

local test = device and it or pending

describe("products on " .. (device or "a CUDA device") .. " #cuda", function()
  setup(function() gru.manual_seed(11) end)

  for _, dtype in ipairs {"float32", "float64", "int64"} do
    test(dtype .. ": random sizes and layouts", function()
      local rng = new_rng(#dtype)
      for _ = 1, 40 do
        local m, n, k = rng(20), rng(40), rng(70)
        check(matrix(rng, m, k, dtype), matrix(rng, k, n, dtype))
      end
    end)

    test(dtype .. ": batches, shared by one side or not", function()
      local rng = new_rng(#dtype + 1)
      for _ = 1, 10 do
        local m, n, k = rng(9), rng(9), rng(20)
        check(matrix(rng, m, k, dtype, 3), matrix(rng, k, n, dtype, 3))
        check(matrix(rng, m, k, dtype, 2, 3), matrix(rng, k, n, dtype))
        check(matrix(rng, m, k, dtype), matrix(rng, k, n, dtype, 3))
      end
    end)

    test(dtype .. ": a few rows by a transposed matrix, loads wide and narrow", function()
      for m = 1, 5 do
        for _, k in ipairs {1, 3, 64, 130, 256, 300} do
          local rng = function() return 1 end -- as they lie
          local a, w = matrix(rng, m, k, dtype), matrix(rng, 7, k, dtype)
          same(gru.matmul(a:to(device), w:to(device):t()), gru.matmul(a, w:t()), TOLERANCE[dtype])
        end
      end
    end)

    test(dtype .. ": a product of no terms is zeros, one of no rows is empty", function()
      local function zeros(...) return gru.zeros(..., {dtype = dtype, device = device}) end
      for _ = 1, 2 do -- memory that is used again is not zero
        gru.ones({3, 4}, {dtype = dtype, device = device})
        collectgarbage()
      end
      same(gru.matmul(zeros {3, 0}, zeros {0, 4}), gru.zeros({3, 4}, {dtype = dtype}), 0)
      assert.same({0, 4}, gru.matmul(zeros {0, 2}, zeros {2, 4}).shape)
      assert.same({2, 0}, gru.matmul(zeros {2, 2}, zeros {2, 0}).shape)
    end)
  end

  test("gradients are products, too", function()
    local function grads(where)
      gru.manual_seed(5)
      local w = gru.randn(6, 5, {dtype = "float64"}):to(where):requires_grad_()
      local x = gru.randn(4, 5, {dtype = "float64"}):to(where):requires_grad_()
      local y = gru.matmul(x, w:t())
      y:backward(gru.randn(4, 6, {dtype = "float64"}):to(where))
      return w.grad:cpu(), x.grad:cpu()
    end
    local w, x = grads(device)
    local want_w, want_x = grads("cpu")
    same(w, want_w, 1e-12)
    same(x, want_x, 1e-12)
  end)

  test("one row does not change another's", function()
    for _, m in ipairs {4, 9} do
      local a, w = gru.randn(m, 70):to(device), gru.randn(33, 70):to(device)
      local y = gru.matmul(a, w:t()):cpu()
      local other = a:cpu():clone()
      other[1]:fill_(7)
      local z = gru.matmul(other:to(device), w:t()):cpu()
      assert.is_true(y:narrow(1, 2, m - 1):equal(z:narrow(1, 2, m - 1)))
      assert.is_false(y[1]:equal(z[1]))
    end
  end)
end)
