-- Large float32 work against the same in float64: where kernels cut into blocks and threads.
local gru = require "gru"

local function random(...)
  gru.manual_seed(select("#", ...) + (...))
  return gru.randn(...)
end

-- |a - b| <= 1e-5 terms, everywhere
local function close(a, b, terms)
  local worst = ((a:double() - b):abs() / (terms * 1e-5 + 1e-12)):max():item()
  assert(worst <= 1, ("off by %g times the tolerance"):format(worst))
end

describe("large products", function()
  for _, shape in ipairs {
    {32, 256, 256}, {1120, 1027, 256}, {1, 1027, 300}, {300, 1027, 1}, {7, 2000, 9}, {513, 65, 130},
    {33, 1, 700},
  } do
    local m, k, n = table.unpack(shape)
    it(("are right: %d %d %d, in every orientation"):format(m, k, n), function()
      local a, b = random(m, k), random(k, n)
      local want, terms = a:double():matmul(b:double()), a:abs():double():matmul(b:abs():double())
      close(a:matmul(b), want, terms)
      close(a:t():contiguous():t():matmul(b), want, terms)
      close(a:matmul(b:t():contiguous():t()), want, terms)
      close(a:t():contiguous():t():matmul(b:t():contiguous():t()), want, terms)
      -- operands inside of larger ones
      local wide = gru.zeros(m + 3, k + 5)
      wide[{{2, m + 1}, {4, k + 3}}] = a
      close(wide[{{2, m + 1}, {4, k + 3}}]:matmul(b), want, terms)
      close(wide:t()[{{4, k + 3}, {2, m + 1}}]:t():matmul(b), want, terms)
    end)
  end

  it("are right in batches, shared and transposed", function()
    local a, b = random(12, 30, 40), random(12, 40, 20)
    local terms = a:abs():double():matmul(b:abs():double())
    close(a:matmul(b), a:double():matmul(b:double()), terms)
    close(a:transpose(1, 2):contiguous():transpose(1, 2):matmul(b), a:double():matmul(b:double()), terms)
    close(a:matmul(b[1]), a:double():matmul(b[1]:double()), a:abs():double():matmul(b[1]:abs():double()))
    close(a[1]:matmul(b), a[1]:double():matmul(b:double()), a[1]:abs():double():matmul(b:abs():double()))
  end)

  it("of integers are exact", function()
    local a, b = gru.randint(-50, 50, {130, 70}), gru.randint(-50, 50, {70, 90})
    assert.is_true(a:matmul(b):eq(a:double():matmul(b:double()):long()):all():item())
  end)
end)

describe("large reductions", function()
  it("are right over rows, columns, middles and all", function()
    for _, shape in ipairs {{1500, 700}, {3, 200000}, {200000, 3}, {40, 300, 50}} do
      local x = random(table.unpack(shape))
      for d = 1, #shape do
        close(x:sum(d), x:double():sum(d), x:double():abs():sum(d))
        close(x:transpose(1, #shape):sum(d), x:double():transpose(1, #shape):sum(d),
          x:double():abs():transpose(1, #shape):sum(d))
        local values, at = x:max(d)
        assert.is_true(values:eq(x:double():max(d):float()):all():item())
        assert.is_true(x:gather(d, at:unsqueeze(d)):squeeze(d):eq(values):all():item())
        assert.is_true(x:argmin(d):eq((-x):argmax(d)):all():item())
      end
      close(x:sum(), x:double():sum(), x:double():abs():sum())
      close(x:mean(), x:double():mean(), x:double():abs():mean())
      assert.equal(x:max():item(), x:flatten():max(1):item())
    end
  end)

  it("do not lose small terms among many", function()
    local n = 1 << 22
    assert.equal(n, gru.ones(n):sum():item())
    local tenth = gru.full({n}, 0.1, {dtype = "float32"})
    assert(math.abs(tenth:sum():item() / (n * 0.1) - 1) < 1e-6)
    assert(math.abs(tenth:reshape(n // 4, 4):sum(1)[1]:item() / (n * 0.025) - 1) < 1e-6)
    assert(math.abs(tenth:mean():item() - 0.1) < 1e-7)
  end)

  it("of softmax rows add up to one", function()
    local y = random(1120, 1027):mul_(10):softmax(2)
    close(y:sum(2), gru.ones(1120, {dtype = "float64"}), gru.ones(1120, {dtype = "float64"}))
    close(y:log(), y:double():log(), y:double():log():abs() + 1)
  end)
end)

describe("large moves", function()
  it("are exact", function()
    local x = gru.arange(120 * 70 * 33):reshape(120, 70, 33)
    for _, order in ipairs {{3, 2, 1}, {2, 1, 3}, {1, 3, 2}, {3, 1, 2}, {2, 3, 1}} do
      local y = x:permute(order):contiguous()
      local back = {}
      for d, o in ipairs(order) do back[o] = d end
      assert.is_true(y:permute(back):eq(x):all():item())
    end
    local halves = gru.cat({x[{{}, {}, {1, 16}}], x[{{}, {}, {17, 33}}]}, 3)
    assert.is_true(halves:eq(x):all():item())
    assert.is_true(gru.stack(x:unbind(2), 2):eq(x):all():item())
    local order = gru.randperm(120)
    local shuffled = x:index_select(1, order)
    assert.is_true(gru.zeros_like(x):index_add(1, order, shuffled):eq(x):all():item())
  end)
end)
