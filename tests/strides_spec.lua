-- Views of views: random chains of permute, narrow, select, expand, unsqueeze and reshape, and what
-- ops make of the strides that come out.
local gru = require "gru"
local agree = require "tests.support.agree"
local nd = require "tests.support.nd"
local new_rng = require "tests.support.rng"
local describe = require("tests.support.devices").describe

local CHAINS = 300

-- Each step gives the view of a tensor and of the array that it should show.
local steps = {}

function steps.permute(draw, x, a)
  local order = {}
  for d = 1, #a.shape do table.insert(order, draw(d), d) end
  return x:permute(order), nd.permute(a, order)
end

function steps.narrow(draw, x, a)
  if #a.shape == 0 then return x, a end
  local d = draw(#a.shape)
  local size = a.shape[d]
  if size < 2 then return x, a end
  local first, step = draw(size), draw(2)
  local count = draw((size - first) // step + 1)
  local shape, ranges = {table.unpack(a.shape)}, {}
  shape[d] = count
  for e = 1, #shape do ranges[e] = e == d and {first, first + (count - 1) * step, step} or {} end
  return x[ranges], nd.pick(a, shape, function(at)
    local from = {table.unpack(at)}
    from[d] = first + (at[d] - 1) * step
    return from
  end)
end

function steps.select(draw, x, a)
  if #a.shape < 3 then return x, a end
  local d = draw(#a.shape)
  local i = draw(a.shape[d])
  local shape = {table.unpack(a.shape)}
  table.remove(shape, d)
  return x:select(d, i), nd.pick(a, shape, function(at)
    local from = {table.unpack(at)}
    table.insert(from, d, i)
    return from
  end)
end

function steps.unsqueeze(draw, x, a)
  if #a.shape > 4 then return x, a end
  local d = draw(#a.shape + 1)
  local shape = {table.unpack(a.shape)}
  table.insert(shape, d, 1)
  return x:unsqueeze(d), nd.reshape(a, shape)
end

function steps.expand(draw, x, a)
  local shape = {}
  for d, size in ipairs(a.shape) do shape[d] = size == 1 and draw(3) or size end
  return x:expand(shape), nd.expand(a, shape)
end

function steps.reshape(_, x, a)
  if #a.shape < 2 then return x, a end
  local shape = {a.shape[1] * a.shape[2], table.unpack(a.shape, 3)}
  return x:reshape(shape), nd.reshape(a, shape)
end

local NAMES = {"permute", "narrow", "select", "unsqueeze", "expand", "reshape"}

local function chain(seed, dtype)
  local draw, shape = new_rng(seed), {}
  for d = 1, draw(4) do shape[d] = draw(5) end
  local a = nd.round(nd.generate(shape, function() return draw(64) - 32 end), dtype)
  local x, used = nd.tensor(a, dtype), {}
  for i = 1, 1 + draw(4) do
    used[i] = NAMES[draw(#NAMES)]
    x, a = steps[used[i]](draw, x, a)
  end
  return x, a, table.concat(used, ", "), draw
end

local function each_chain(dtype, f)
  for seed = 1, CHAINS do
    local x, a, used, draw = chain(seed, dtype)
    local ok, message = f(x, a, draw)
    assert(ok, message and ("seed %d, %s: %s"):format(seed, used, message))
  end
end

describe("a chain of views", function()
  for _, dtype in ipairs {"float32", "float64", "int64"} do
    it("shows the elements, " .. dtype, function()
      each_chain(dtype, function(x, a) return agree.values(x, a, 0) end)
    end)

    it("is copied in its order, " .. dtype, function()
      each_chain(dtype, function(x, a)
        local y = x:contiguous()
        assert.is_true(y:is_contiguous())
        return agree.values(y, a, 0)
      end)
    end)

    it("is an operand beside another one, " .. dtype, function()
      each_chain(dtype, function(x, a, draw)
        local shape = {}
        for d, size in ipairs(a.shape) do shape[d] = draw(3) == 1 and 1 or size end
        local b = nd.generate(shape, function() return draw(16) end)
        local y = gru.sub(x, nd.tensor(b, dtype))
        return agree.values(y, nd.map(function(u, v) return u - v end, a, b), 0)
      end)
    end)

    it("is summed over any dims, " .. dtype, function()
      each_chain(dtype, function(x, a, draw)
        local set, dims = {}, {}
        for d = 1, #a.shape do
          if draw(2) == 1 then
            set[d] = true
            dims[#dims + 1] = d
          end
        end
        if #dims == 0 then return true end
        return agree.values(x:sum(dims), nd.reduce(a, set, false, function(list)
          local total = 0
          for _, v in ipairs(list) do total = total + v end
          return total
        end), 0)
      end)
    end)

    it("has the position of its largest element, " .. dtype, function()
      each_chain(dtype, function(x, a, draw)
        if #a.shape == 0 then return true end
        local d = draw(#a.shape)
        local values, positions = x:max(d)
        local function best(list)
          local at = 1
          for i, v in ipairs(list) do
            if v > list[at] then at = i end
          end
          return at
        end
        local ok, message = agree.values(positions, nd.reduce(a, {[d] = true}, false, best), 0)
        if not ok then return nil, message end
        return agree.values(values, nd.reduce(a, {[d] = true}, false,
          function(list) return list[best(list)] end), 0)
      end)
    end)
  end

  it("is written through where its elements are its own", function()
    each_chain("float64", function(x, a, draw)
      local own = true
      for d, stride in ipairs(x:stride()) do own = own and (stride ~= 0 or a.shape[d] == 1) end
      if not own then return true end
      local b = nd.generate(a.shape, function() return draw(16) end)
      x:copy_(nd.tensor(b, "float64"))
      local ok, message = agree.values(x, b, 0)
      if not ok then return nil, message end
      x:add_(x)
      return agree.values(x, nd.map(function(v) return 2 * v end, b), 0)
    end)
  end)

  it("is a factor of a product", function()
    each_chain("float64", function(x, a, draw)
      if #a.shape < 2 then return true end
      local m = {shape = {a.shape[#a.shape], draw(3)}}
      local w = nd.generate(m.shape, function() return draw(9) - 5 end)
      return agree.values(x:matmul(nd.tensor(w, "float64")),
        require("tests.support.rows.product").matmul[1].ref(a, w), 0)
    end)
  end)

  it("gives its gradient back", function()
    for seed = 1, CHAINS do
      local draw, shape = new_rng(seed), {}
      for d = 1, draw(4) do shape[d] = draw(5) end
      local ids = nd.generate(shape, function(i) return i end)
      local leaf = nd.tensor(ids, "float64"):requires_grad_()
      local x, shown = leaf, ids
      for _ = 1, 1 + draw(4) do x, shown = steps[NAMES[draw(#NAMES)]](draw, x, shown) end
      -- element i of the leaf gets the sum of the weights where it is shown
      local weights = nd.generate(shown.shape, function() return draw(9) end)
      local want = nd.generate(shape, function() return 0 end)
      for i, id in ipairs(shown.data) do want.data[id] = want.data[id] + weights.data[i] end
      if x.requires_grad and not x.is_leaf then
        x:backward(nd.tensor(weights, "float64"))
        local ok, message = agree.values(leaf.grad, want, 0)
        assert(ok, message and ("seed %d: %s"):format(seed, message))
      end
    end
  end)
end)
