-- Trainings of both halves, with every optimiser: the same bits for any number of threads.
-- tests/bench/determinism.lua does it at full size.
local gru = require "gru"
local runs = require "tests.support.runs"

local nn = gru.nn

-- Odd sizes, large enough that products, reductions and steps have several blocks.
local SIZE = {chars = 3000, hidden = 131, steps = 21, batch = 32, epochs = 1}
local COUNTS = {1, 2, 4}

local works = {
  ["from scratch, with the book's sgd"] = function() return runs.scratch(SIZE) end,
  ["nn.GRU, Adam, two epochs, float64"] = function()
    gru.set_default_dtype "float64"
    return runs.layers({chars = 2000, hidden = 67, steps = 15, batch = 16, epochs = 2}, "Adam", {lr = 0.01})
  end,
  ["a deep bidirectional LSTM with dropout, random batches"] = function()
    return runs.layers(SIZE, "AdamW", {lr = 0.01}, function(vocab, hidden)
      return nn.LSTM(vocab, hidden // 2, {num_layers = 2, bidirectional = true, dropout = 0.3})
    end)
  end,
}

for _, case in ipairs {
  {"SGD", {lr = 1, momentum = 0.9, nesterov = true}}, {"Adam", {lr = 0.01}},
  {"AdamW", {lr = 0.01, amsgrad = true}}, {"RMSprop", {centered = true, momentum = 0.5}},
  {"Adagrad"}, {"Adadelta"},
} do
  works["nn.GRU, " .. case[1]] = function() return runs.layers(SIZE, case[1], case[2]) end
end

describe("a training has the same bits for 1, 2 and 4 threads:", function()
  local before = gru.get_num_threads()
  after_each(function()
    gru.set_num_threads(before)
    gru.set_default_dtype "float32"
  end)

  for name, work in pairs(works) do
    it(name, function()
      local first
      for _, n in ipairs(COUNTS) do
        gru.set_num_threads(n)
        local hash = work()
        first = first or hash
        assert.equal(first, hash, ("with %d threads"):format(n))
      end
    end)
  end

  it("other seeds have others", function()
    assert.not_equal(runs.layers(SIZE, "Adam"), runs.layers(
      {chars = 3000, hidden = 131, steps = 21, batch = 32, epochs = 1, seed = 1}, "Adam"))
    assert.not_equal(runs.hash {gru.tensor {1.0, 2.0}}, runs.hash {gru.tensor {1.0, 2.0000002}})
  end)
end)

describe("every flavour of OpenBLAS that is installed", function()
  it("gives a training the same bits for 1, 2 and 4 threads", function()
    local program = os.getenv("GRU_LUA") or "build/gru-lua"
    local pipe = io.popen(program
      .. " tests/bench/determinism.lua --runs 1 --epochs 1 --hidden 131 --chars 3000")
    local hashes = pipe:read "a"
    assert.is_true(pipe:close(), hashes)
  end)
end)
