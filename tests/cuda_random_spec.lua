-- Random numbers and ranges that a CUDA device makes: those of the CPU, bit for bit.
local gru = require "gru"
local agree = require "tests.support.agree"
local devices = require "tests.support.devices"
local new_rng = require "tests.support.rng"

local DTYPES = {"bool", "int64", "float32", "float64"}
local FLOATS = {"float32", "float64"}

-- What is drawn, into a tensor of one of the dtypes.
local FILLS = {
  {FLOATS, "uniform_(0, 1)", function(t) t:uniform_(0, 1) end},
  {FLOATS, "uniform_(-3, 1e-3)", function(t) t:uniform_(-3, 1e-3) end},
  {FLOATS, "uniform_(1, 1)", function(t) t:uniform_(1, 1) end},
  {FLOATS, "uniform_ below 1 + 2^-23", function(t) t:uniform_(1, 1 + 2 ^ -23) end},
  {FLOATS, "normal_(0, 1)", function(t) t:normal_(0, 1) end},
  {FLOATS, "normal_(-2, 0.1)", function(t) t:normal_(-2, 0.1) end},
  {DTYPES, "bernoulli_(0.3)", function(t) t:bernoulli_(0.3) end},
  {DTYPES, "bernoulli_(1)", function(t) t:bernoulli_(1) end},
  {DTYPES, "random_(-5, 11)", function(t) t:random_(-5, 11) end},
  {{"int64"}, "random_ of all", function(t) t:random_(math.mininteger, math.maxinteger) end},
}

devices.on_cuda(function(device)
  -- `fill` of `count` numbers from draw `counter` on, at `offset` in memory.
  local function drawn(where, fill, dtype, count, counter, offset)
    gru.manual_seed(0x123456789abcdef)
    local state = gru.get_rng_state()
    state[3] = counter
    gru.set_rng_state(state)
    local all = gru.zeros(offset + count + 3, {dtype = dtype, device = where})
    fill(all:narrow(1, offset + 1, count))
    return all
  end

  after_each(function() gru.manual_seed(0) end)

  for _, case in ipairs(FILLS) do
    local dtypes, name, fill = table.unpack(case)
    it("draws the CPU's numbers: " .. name, function()
      local draw = new_rng(11)
      for _, dtype in ipairs(dtypes) do
        for _, count in ipairs {1, 2, 3, 4, 5, 1000, 1 + draw(70)} do
          -- any place in a stream, in the middle of a block and past 32 bits
          local counter, offset = draw(9) - 1 + (draw(2) - 1) * (1 << 40), draw(4) - 1
          local got = drawn(device, fill, dtype, count, counter, offset)
          assert.equal(device, got.device)
          assert(agree.identical(got, drawn("cpu", fill, dtype, count, counter, offset)))
        end
      end
    end)
  end

  it("fills a part of a tensor from the torch generator", function()
    local parts = {}
    for i, where in ipairs {"cpu", device} do
      parts[i] = gru.zeros(100, {device = where})
      gru.manual_seed(3, "torch")
      parts[i]:narrow(1, 20, 40):uniform_(0, 1)
    end
    assert(agree.identical(parts[2], parts[1]))
  end)

  it("draws the CPU's numbers where there are more than threads", function()
    for _, dtype in ipairs(FLOATS) do
      for _, fill in ipairs {FILLS[1][3], FILLS[5][3]} do
        local n = 40000
        assert(agree.identical(drawn(device, fill, dtype, n, 4, 0), drawn("cpu", fill, dtype, n, 4, 0)))
      end
    end
  end)

  it("draws into views, and nothing into nothing", function()
    local function view(where)
      gru.manual_seed(5)
      local x = gru.zeros(6, 7, {device = where})
      x:t():narrow(1, 2, 4):normal_(0, 1)
      x:narrow(1, 1, 0):normal_(0, 1)
      return x
    end
    assert(agree.identical(view(device), view("cpu")))
  end)

  it("counts as the CPU counts", function()
    local draw = new_rng(12)
    for _ = 1, 20 do
      local first, step, count = draw(-50, 50), draw(-3, 3), draw(40)
      for _, dtype in ipairs(FLOATS) do
        local function both(make)
          assert(agree.identical(make {dtype = dtype, device = device}, make {dtype = dtype, device = "cpu"}))
        end
        both(function(options) return gru.arange(first, first + count * step, step, options) end)
        both(function(options) return gru.linspace(first, first + step, count - 1, options) end)
      end
      local low, by = draw(100) - 50, draw(9)
      local function integers(where)
        return gru.arange(low, low + 7 * count, by, {dtype = "int64", device = where})
      end
      assert(agree.identical(integers(device), integers "cpu"))
    end
    assert(agree.identical(gru.linspace(-1, 1, 30001, {device = device}),
      gru.linspace(-1, 1, 30001, {device = "cpu"})))
  end)
end)
