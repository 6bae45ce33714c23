-- Random programs of ops, views and changes in place, whose gradients are those of differences.
local gru = require "gru"
local gradcheck = require "tests.support.gradcheck"
local nd = require "tests.support.nd"
local new_rng = require "tests.support.rng"

local PROGRAMS = 150

-- Every step works on a pool of tensors of shape (3, 4).
local steps = {
  function(pool, draw) pool[#pool + 1] = pool[draw(#pool)]:tanh() end,
  function(pool, draw) pool[#pool + 1] = pool[draw(#pool)] * pool[draw(#pool)] end,
  function(pool, draw) pool[#pool + 1] = pool[draw(#pool)] + pool[draw(#pool)]:sin() end,
  function(pool, draw) pool[#pool + 1] = pool[draw(#pool)]:clone() end,
  function(pool, draw) pool[#pool + 1] = pool[draw(#pool)] * 0.5 end,
  function(pool, draw)
    local a, b = pool[draw(#pool)], pool[draw(#pool)]
    pool[#pool + 1] = a:matmul(b:t()):matmul(b) * 0.1
  end,
  function(pool, draw) -- another view of the same elements, of the same shape
    local x = pool[draw(#pool)]
    local views = {
      function() return x:t():t() end, function() return x[{}] end, function() return x:view(3, 4) end,
      function() return x:unsqueeze(1)[1] end, function() return x:reshape(3, 4) end,
    }
    pool[#pool + 1] = views[draw(#views)]()
  end,
  function(pool, draw) pool[#pool + 1] = gru.stack(pool[draw(#pool)]:unbind(1), 1) end,
  function(pool, draw) -- rows in another order
    local x = pool[draw(#pool)]
    pool[#pool + 1] = gru.cat({x:narrow(1, 2, 2), x[{{1, 1}}]}, 1)
  end,
  function(pool, draw) pool[#pool + 1] = pool[draw(#pool)]:softmax(draw(2)) end,
}

local changes = {
  function(x, y) x:add_(y) end,
  function(x, y) x:mul_(y) end,
  function(x) x:mul_(0.5) end,
  function(x) x:tanh_() end,
  function(x, y) x[2] = y[1] end,
  function(x, y) x[1]:mul_(y[3]) end,
  function(x, y) x:t()[2]:add_(y:select(2, 3)) end,
  function(x, y) x[{{1, 3, 2}, {2, 3}}]:copy_(y[{{2, 3}, {1, 2}}]) end,
  function(x) x[{{}, 4}] = 0.5 end,
  function(x, y) x:reshape(2, 6)[1]:sub_(y:reshape(2, 6)[2]) end,
  function(x) x:narrow(2, 1, 2):sin_() end,
  function(x, y) x:copy_(y[1]) end,
}

local function program(seed)
  return function(x, v)
    local draw = new_rng(seed)
    local pool = {x * 1, v * x, x:exp() * 0.3}
    for _ = 1, 4 + draw(8) do
      if draw(3) == 1 then
        local a, b = pool[draw(#pool)], pool[draw(#pool)]
        changes[draw(#changes)](a, b)
      else
        steps[draw(#steps)](pool, draw)
      end
    end
    local total = pool[1]:sin()
    for i = 2, #pool do total = total + pool[i] * (i / #pool) end
    return total
  end
end

local function arrays(seed)
  local draw = new_rng(1000 + seed)
  local function some(shape) return nd.generate(shape, function() return draw(-1, 1) end) end
  return {some {3, 4}, some {4}}
end

describe("random programs", function()
  -- A program may change what it needs later: that is an error which says so, and not counted.
  local function run(order, first, last)
    local n = 0
    for seed = first, last do
      local done, ok, message = pcall(gradcheck[order], program(seed), arrays(seed), seed)
      if done then
        n = n + 1
        assert(ok, message and ("seed %d: %s"):format(seed, message))
      else
        assert(tostring(ok):find("changed in place"), ("seed %d: %s"):format(seed, tostring(ok)))
      end
    end
    assert.is_true(n > (last - first) // 3, ("only %d programs ran"):format(n))
  end

  it("have the gradients that differences give", function() run("first", 1, PROGRAMS) end)
  it("have second gradients", function() run("second", 1, PROGRAMS // 3) end)
end)
