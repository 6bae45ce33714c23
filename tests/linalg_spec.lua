-- gru.linalg: norms and products.
local gru = require "gru"

local linalg = gru.linalg

local function near(wanted, got)
  assert.same(gru.tensor(wanted).shape, got.shape)
  assert.is_true(gru.tensor(wanted, {dtype = "float64"}):allclose(got:double(), {atol = 1e-6}), tostring(got))
end

local a = gru.tensor({{3, -4, 0}, {0, 2, 1}}, {dtype = "float32"})

describe("linalg.norm", function()
  it("is the 2-norm of everything, or over dims", function()
    near(math.sqrt(30), linalg.norm(a))
    near({3, math.sqrt(20), 1}, linalg.norm(a, nil, 1))
    near({{5}, {math.sqrt(5)}}, linalg.norm(a, {dim = 2, keepdim = true}))
    near(math.sqrt(60), linalg.norm(gru.stack({a, a}, 1)))
  end)

  it("is a norm of matrices where ord is given and dims are two", function()
    near(math.sqrt(30), linalg.norm(a, "fro"))
    near(6, linalg.norm(a, 1))
    near(7, linalg.norm(a, math.huge))
    near({6, 6}, linalg.norm(gru.stack({a, a}, 1), 1, {2, 3}))
    near({7, 3}, linalg.norm(a, 1, 2))
    near(7, linalg.norm(a[1], 1))
  end)
end)

describe("linalg.vector_norm", function()
  it("has every p", function()
    near(10, linalg.vector_norm(a, 1))
    near(4, linalg.vector_norm(a, 0))
    near(4, linalg.vector_norm(a, math.huge))
    near(0, linalg.vector_norm(a, -math.huge))
    near((27 + 64 + 8 + 1) ^ (1 / 3), linalg.vector_norm(a, 3))
    near({{3, 4, 1}}, linalg.vector_norm(a, math.huge, 1, true))
    near(math.sqrt(30), linalg.vector_norm(a, 2, {1, 2}))
  end)
end)

describe("linalg.matrix_norm", function()
  it("has the norms of sums", function()
    near(math.sqrt(30), linalg.matrix_norm(a))
    near(6, linalg.matrix_norm(a, 1))
    near(1, linalg.matrix_norm(a, -1))
    near(7, linalg.matrix_norm(a, math.huge))
    near(3, linalg.matrix_norm(a, -math.huge))
    near({{6}}, linalg.matrix_norm(a, 1, nil, true))
  end)

  it("takes batches, and other dims", function()
    local batch = gru.stack({a, a * 2}, 1) -- (2, 2, 3)
    near({6, 12}, linalg.matrix_norm(batch, 1))
    near({6, 12}, linalg.matrix_norm(batch:permute(2, 3, 1), 1, {1, 2}))
    near({7, 14}, linalg.matrix_norm(batch:transpose(2, 3), 1))
    near({7, 14}, linalg.matrix_norm(batch:transpose(2, 3), math.huge, {3, 2}))
  end)
end)

describe("linalg products", function()
  it("vecdot", function()
    near({25, 5}, linalg.vecdot(a, a))
    near({9, 20, 1}, linalg.vecdot(a, a, 1))
    near({3, -2}, linalg.vecdot(a, gru.tensor {1, 0, -2}))
  end)

  it("matrix_power", function()
    local m = gru.tensor({{1, 1}, {0, 1}}, {dtype = "float64"})
    for n = 0, 9 do near({{1, n}, {0, 1}}, linalg.matrix_power(m, n)) end
    local batch = gru.stack({m, gru.eye(2):double() * 2}, 1)
    near({{{1, 3}, {0, 1}}, {{8, 0}, {0, 8}}}, linalg.matrix_power(batch, 3))
    near({{{1, 0}, {0, 1}}}, linalg.matrix_power(m:unsqueeze(1), 0))
    local same = linalg.matrix_power(m, 1)
    same:fill_(7)
    near({{1, 1}, {0, 1}}, m)
  end)

  it("multi_dot, whatever the order", function()
    gru.manual_seed(1)
    for _, sizes in ipairs {{2, 3, 4}, {2, 30, 4, 5}, {7, 2, 9, 1, 6}, {1, 50, 1, 50, 1, 50}} do
      local list, wanted = {}, nil
      for i = 1, #sizes - 1 do
        list[i] = gru.randn(sizes[i], sizes[i + 1], {dtype = "float64"})
        wanted = wanted and wanted:matmul(list[i]) or list[i]
      end
      assert.is_true(wanted:allclose(linalg.multi_dot(list)))
      local vectors = {list[1][1], table.unpack(list, 2)}
      vectors[#vectors] = vectors[#vectors]:select(2, 1)
      local y = linalg.multi_dot(vectors)
      assert.same({}, y.shape)
      assert.is_true(wanted[1][1]:allclose(y))
    end
  end)

  it("multi_dot takes the cheap order", function()
    -- (1000 x 2)(2 x 1000)(1000 x 2): from the right, no matrix of 1000 x 1000
    local x, y, z = gru.ones(1000, 2), gru.ones(2, 1000), gru.ones(1000, 2)
    local most
    local result = gru.scope(function() -- keeps what is made
      local before = gru.memory().live
      local product = linalg.multi_dot({x, y, z})
      most = gru.memory().live - before
      return product
    end)
    assert.same({1000, 2}, result.shape)
    assert.is_true(most < 1000 * 1000, most)
  end)

  it("matmul", function() assert.equal(gru.matmul, linalg.matmul) end)
end)

it("linalg has gradients", function()
  gru.manual_seed(2)
  local function new(...) return gru.randn(..., {dtype = "float64", requires_grad = true}) end
  for _, f in ipairs {
    function(m) return linalg.norm(m) end,
    function(m) return linalg.norm(m, 1) end,
    function(m) return linalg.matrix_norm(m, math.huge) end,
    function(m) return linalg.vector_norm(m, 3, 1) end,
    function(m) return linalg.matrix_power(m, 5) end,
    function(m, n) return linalg.multi_dot({m, m, n}) end,
    function(m, n) return linalg.vecdot(m, n:narrow(2, 1, 3)) end,
  } do
    assert.is_true(gru.autograd.gradcheck(f, {new {3, 3}, new {3, 4}}))
  end
end)
