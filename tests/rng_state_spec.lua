-- gru.get_rng_state, gru.set_rng_state: the generator goes on where it stood.
local gru = require "gru"
local describe = require("tests.support.devices").describe

-- Draws of every kind, as a table.
local function draw()
  local list = {
    gru.rand(5), gru.randn(3), gru.randn(40), gru.randn(3, {dtype = "float64"}), gru.randint(1, 1000, {7}),
    gru.randperm(9), gru.empty(6):bernoulli_(0.5),
  }
  for i, x in ipairs(list) do list[i] = x:totable() end
  return list
end

describe("the state of the generator", function()
  after_each(function() gru.manual_seed(0) end)

  for _, kind in ipairs {"philox", "torch"} do
    it("brings back what comes next: " .. kind, function()
      gru.manual_seed(7, kind)
      local first = draw()
      for step = 1, 3 do -- also with half a pair of normals left over, and between two fills of words
        gru.randn(step)
        gru.rand(100 * step)
        local state = gru.get_rng_state()
        local next_ones, after = draw(), gru.get_rng_state()
        assert.not_same(first, next_ones)
        gru.set_rng_state(state)
        assert.same(next_ones, draw())
        assert.is_true(after:equal(gru.get_rng_state()))
      end
    end)

    it("says the kind and the seed: " .. kind, function()
      gru.manual_seed(-5, kind)
      local state = gru.get_rng_state()
      gru.rand(3)
      gru.manual_seed(1, kind == "torch" and "philox" or "torch")
      gru.set_rng_state(state)
      local again = gru.rand(3)
      gru.manual_seed(-5, kind)
      assert.is_true(again:equal(gru.rand(3)))
    end)
  end

  it("is a copy", function()
    gru.manual_seed(3)
    local state = gru.get_rng_state()
    local before = state:totable()
    gru.rand(10)
    assert.same(before, state:totable())
    state:fill_(0)
    assert.not_same(state:totable(), gru.get_rng_state():totable())
  end)

  it("is taken from a tensor that is not contiguous, too", function()
    gru.manual_seed(3)
    local state, wanted = gru.get_rng_state(), gru.rand(3)
    gru.set_rng_state(gru.stack({state, state}, 2):select(2, 1))
    assert.is_true(wanted:equal(gru.rand(3)))
  end)

  it("is not taken from anything else, which changes nothing", function()
    local function refused(pattern, change)
      gru.manual_seed(3, "torch")
      gru.rand(10)
      local state = gru.get_rng_state()
      local changed = change(state:clone())
      local ok, message = pcall(gru.set_rng_state, changed)
      assert.is_false(ok)
      assert.truthy(message:find("set_rng_state: ", 1, true), message)
      assert.truthy(message:find(pattern), message)
      assert.is_true(state:equal(gru.get_rng_state()))
    end
    local function put(i, value)
      return function(state)
        state[i] = value
        return state
      end
    end
    refused("got float32", function(state) return state:float() end)
    refused("got int64 of 2 dims", function(state) return state:unsqueeze(1) end)
    refused("with 2 elements", function(state) return state[{{1, 2}}] end)
    refused("629 numbers", function(state) return state[{{1, 628}}] end)
    refused("3 numbers", put(1, 0))
    refused("names no generator", put(1, 2))
    refused("outside 0 .. 624", put(3, 625))
    refused("outside 0 .. 624", put(3, -1))
    refused("neither 0 nor 1", put(4, 2))
    refused("not finite", put(5, 0x7FF0000000000000))
    refused("has not 32 bits", put(6, -1))
    refused("has not 32 bits", put(629, 1 << 32))
  end)
end)
