-- gru.text.generate: what a model writes, and what it leaves as it was.
local gru = require "gru"
local expect = require "tests.support.expect"
local here = gru.get_default_device
local choose = require "gru.text.choose"
local describe = require("tests.support.devices").describe

local nn, text = gru.nn, gru.text
local vocab = text.Vocab.new {"分", "开", "a", "b", " "}

local raises = expect.raises_text

local function collect(...)
  local parts = {}
  for char in text.generate(...) do parts[#parts + 1] = char end
  return table.concat(parts)
end

-- A model of small, random weights whose scores differ enough to be told apart.
local function new_model(layer)
  gru.manual_seed(11)
  local model = gru.d2l.RNNModel((layer or nn.GRU)(5, 16, {num_layers = 2, dropout = 0.5}), 5)
  gru.no_grad(function()
    for _, p in ipairs(model:parameters()) do p:mul_(3) end
  end)
  return model
end

-- A model that says which ids it was fed, and that the next one is id + 1, round and round.
local function counting(fed)
  return function(input, state)
    assert.same({1, 1}, input.shape)
    assert.equal("int64", input.dtype)
    local id = input:item()
    fed[#fed + 1] = id
    return gru.one_hot(gru.tensor {id % 5 + 1}, 5), (state or 0) + 1
  end
end

describe("generate", function()
  it("feeds the prompt, then what it wrote", function()
    local fed = {}
    assert.equal("b 分开a", collect(counting(fed), vocab, "分a", {length = 5}))
    assert.same({1, 3, 4, 5, 1, 2}, fed)
  end)

  it("gives characters and ids as they come", function()
    local fed, list = {}, {}
    for char, id in text.generate(counting(fed), vocab, "a", {length = 3}) do
      list[#list + 1] = {char, id, #fed}
    end
    assert.same({{"b", 4, 1}, {" ", 5, 2}, {"分", 1, 3}}, list)
  end)

  it("computes nothing before it is asked", function()
    local fed = {}
    text.generate(counting(fed), vocab, "a")
    assert.same({}, fed)
    assert.equal("", collect(counting(fed), vocab, "a", {length = 0}))
    assert.same({}, fed)
  end)

  it("gives 100 characters, or has no end", function()
    assert.equal(100, utf8.len(collect(counting {}, vocab, "a")))
    local n = 0
    for _ in text.generate(counting {}, vocab, "a", {length = math.huge}) do
      n = n + 1
      if n == 500 then break end
    end
    assert.equal(500, n)
  end)

  it("takes the most likely character, as predict_rnn_pytorch does", function()
    local model = new_model():eval()
    local wanted = gru.d2l.predict_rnn_pytorch("分开", 40, model, 5, here(), vocab.chars, vocab.ids)
    assert.equal(wanted, "分开" .. collect(model, vocab, "分开", {length = 40}))
    assert.equal(wanted, "分开" .. collect(model, vocab, "分开", {length = 40, temperature = 0}))
  end)

  for _, layer in ipairs {"RNN", "LSTM"} do
    it("carries whatever state the model has: " .. layer, function()
      local model = new_model(nn[layer]):eval()
      local wanted = gru.d2l.predict_rnn_pytorch("a分", 20, model, 5, here(), vocab.chars, vocab.ids)
      assert.equal(wanted, "a分" .. collect(model, vocab, "a分", {length = 20}))
    end)
  end

  it("reads the last row of the logits, however many dims they have", function()
    local model = function(input, state)
      local last = gru.one_hot(input:reshape(1) % 5 + 1, 5)
      return gru.stack({gru.zeros(1, 5), last}, 1), state -- (2, 1, 5)
    end
    assert.equal("b 分", collect(model, vocab, "a", {length = 3}))
  end)

  it("takes any module of that form", function()
    local Echo = nn.Module:extend("Echo")
    function Echo:init() self.table = nn.Embedding(5, 5) end
    function Echo:forward(input) return self.table(input) end
    local echo = Echo():double()
    gru.no_grad(function() echo.table.weight:copy_(gru.eye(5):roll(1, 2)) end)
    assert.equal("b 分开", collect(echo, vocab, "a", {length = 4}))
  end)
end)

describe("generate leaves as it was", function()
  -- What a loop may change.
  local function look(model)
    local modes = {}
    for i, module in ipairs(model:modules()) do modes[i] = module.training end
    return {modes, gru.is_grad_enabled(), gru.get_rng_state():totable()}
  end

  it("modes, recording and the generator: in the loop, behind it, and after a break", function()
    local model = new_model()
    model.dense:eval() -- modules may differ
    local before, seen = look(model), 0
    for _ in text.generate(model, vocab, "a", {length = 5, temperature = 1, seed = 3}) do
      assert.same(before, look(model))
      seen = seen + 1
    end
    assert.equal(5, seen)
    for char in text.generate(model, vocab, "a", {length = 5}) do
      if char then break end
    end
    assert.same(before, look(model))
    gru.no_grad(function()
      for _ in text.generate(model, vocab, "a", {length = 2}) do assert.is_false(gru.is_grad_enabled()) end
      assert.is_false(gru.is_grad_enabled())
    end)
  end)

  it("modes and recording, also after an error in the model", function()
    local Bad = nn.Module:extend("Bad")
    function Bad:init() self.dense = nn.Linear(2, 2) end
    function Bad:forward()
      assert.is_false(self.training)
      assert.is_false(self.dense.training)
      assert.is_false(gru.is_grad_enabled())
      error("so it is", 0)
    end
    local bad = Bad()
    raises("so it is", collect, bad, vocab, "a")
    assert.is_true(bad.training and bad.dense.training and gru.is_grad_enabled())
  end)

  it("no history", function()
    local states = {}
    local model = new_model()
    local function spy(input, state)
      states[#states + 1] = state
      return model(input, state)
    end
    collect(spy, vocab, "a", {length = 4})
    for _, state in ipairs(states) do
      assert.is_nil(state.grad_fn)
      assert.is_false(state.requires_grad)
    end
    assert.equal(3, #states)
  end)

  it("training that goes on in the loop", function()
    local model = new_model()
    local optimizer = gru.optim.SGD(model:parameters(), {lr = 0.1})
    local n = 0
    for _, id in text.generate(model, vocab, "a", {length = 3}) do
      nn.functional.cross_entropy(model(gru.tensor {{id}}), gru.tensor {1}):backward()
      optimizer:step()
      n = n + 1
    end
    assert.equal(3, n)
  end)
end)

describe("generate draws", function()
  local model
  setup(function() model = new_model() end)

  it("the same with the same seed, and else not", function()
    local function with(seed)
      return collect(model, vocab, "分", {length = 60, temperature = 1, seed = seed})
    end
    local a = with(1)
    assert.equal(a, with(1))
    assert.not_equal(a, with(2))
  end)

  it("from the generator of manual_seed, without a seed", function()
    local function draw() return collect(model, vocab, "分", {length = 60, temperature = 1}) end
    gru.manual_seed(5)
    local a, b = draw(), draw()
    gru.manual_seed(5)
    assert.equal(a, draw())
    assert.not_equal(a, b)
    gru.manual_seed(5, "torch")
    assert.not_equal(a, draw())
  end)

  it("what is likely more often, the less the higher the temperature", function()
    local logits = gru.tensor({1, 2, 3, 4, 5}):log()
    local function shares(temperature, more)
      local i, n, counts = 0, 3000, {0, 0, 0, 0, 0}
      local options = more or {}
      options.temperature = temperature
      local pick = choose.sampler(options, function()
        i = i + 1
        return (i - 0.5) / n
      end)
      for _ = 1, n do
        local id = pick(logits)
        counts[id] = counts[id] + 1
      end
      for id, count in ipairs(counts) do counts[id] = count / n end
      return counts
    end
    local function near(wanted, got)
      for id, share in ipairs(wanted) do
        assert.is_true(math.abs(share - got[id]) < 1e-3, ("%d: %g, got %g"):format(id, share, got[id]))
      end
    end
    near({1 / 15, 2 / 15, 3 / 15, 4 / 15, 5 / 15}, shares(1))
    near({1 / 55, 4 / 55, 9 / 55, 16 / 55, 25 / 55}, shares(0.5)) -- chances to the power of 2
    near({0, 0, 0, 0, 1}, shares(1e-30))
    near({0.2, 0.2, 0.2, 0.2, 0.2}, shares(1e30))
    near({0, 0, 3 / 12, 4 / 12, 5 / 12}, shares(1, {top_k = 3}))
    near({1 / 15, 2 / 15, 3 / 15, 4 / 15, 5 / 15}, shares(1, {top_k = 99}))
    near({0, 0, 0, 0, 1}, shares(1, {top_k = 1}))
    near({0, 0, 0, 4 / 9, 5 / 9}, shares(1, {top_p = 0.5})) -- 5/15 are not enough, 9/15 are
    near({0, 0, 0, 0, 1}, shares(1, {top_p = 0.3}))
    near({1 / 15, 2 / 15, 3 / 15, 4 / 15, 5 / 15}, shares(1, {top_p = 1}))
    near({0, 0, 0, 4 / 9, 5 / 9}, shares(1, {top_k = 3, top_p = 0.7})) -- of 12, 9 are enough
  end)

  it("never what has no chance, even at the ends", function()
    local logits = gru.tensor({-math.huge, 0, -math.huge, 0, -math.huge})
    for _, u in ipairs {0, 0.25, 0.5, 1 - 2.0 ^ -53} do
      local id = choose.sampler({temperature = 1}, function() return u end)(logits)
      assert.equal(u < 0.5 and 2 or 4, id)
    end
  end)
end)

describe("generate refuses", function()
  it("characters that the vocabulary lacks, and says where", function()
    raises("generate: prompt: character 2, '鑫' (U+946B) is not among the 5 characters of the corpus",
      text.generate, counting {}, vocab, "分鑫a")
    raises("generate: prompt: the text is not valid UTF-8 at byte 2", text.generate, counting {}, vocab,
      "a\xff")
  end)

  it("models that give something else than logits of the vocabulary", function()
    local function gives(x) return function() return x end end
    raises("generate: the model gave [1, 4] for a vocabulary of 5; logits (..., 5) expected", collect,
      gives(gru.zeros(1, 4)), vocab, "a")
    raises("generate: the model gave nil for a vocabulary of 5", collect, gives(nil), vocab, "a")
    raises("generate: the model gave [] for", collect, gives(gru.tensor(1.0)), vocab, "a")
    local bad = gru.zeros(1, 5)
    bad[1][2] = 0 / 0
    for _, options in ipairs {{}, {temperature = 1}} do
      raises("logits is nan", collect, gives(bad * -1), vocab, "a", options)
      raises("logits is -inf", collect, gives(gru.full({5}, -math.huge)), vocab, "a", options)
      raises("logits is inf", collect, gives(gru.full({5}, math.huge)), vocab, "a", options)
    end
  end)
end)
