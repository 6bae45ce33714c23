-- gru.d2l: the book's training loops.
local gru = require "gru"
local here = gru.get_default_device
local expect = require "tests.support.expect"
local nd = require "tests.support.nd"
local devices = require "tests.support.devices"

local describe, eagerly = devices.describe, devices.eagerly
local d2l, nn = gru.d2l, gru.nn

local same, equal, raises = expect.values, expect.tensors, expect.raises

-- What f prints: the lines, in a table.
local function printed(f, ...)
  local lines, before = {}, print
  rawset(_G, "print", function(...)
    local parts = table.pack(...)
    for i = 1, parts.n do parts[i] = tostring(parts[i]) end
    lines[#lines + 1] = table.concat(parts, "\t")
  end)
  local ok, message = pcall(f, ...)
  rawset(_G, "print", before)
  assert(ok, message)
  return lines
end

-- Six characters and a text of them.
local idx_to_char = {"a", "b", "c", "分", "开", " "}
local char_to_idx, V = {}, #idx_to_char
for i, char in ipairs(idx_to_char) do char_to_idx[char] = i end

local function corpus(n)
  local ids = {}
  for i = 1, n do ids[i] = (i * i + i // 3) % V + 1 end
  return gru.tensor(ids)
end

-- ---- training from scratch ----------------------------------------------------------------------

-- A network with one weight matrix and a state that feels it.
local function bigrams(weight)
  local log = {starts = {}, calls = {}}
  local params = {nn.Parameter(weight)}
  local function get_params()
    log.got = (log.got or 0) + 1
    return params
  end
  local function init_state(batch_size, num_hiddens, device)
    log.starts[#log.starts + 1] = {batch_size, num_hiddens, device}
    return {gru.zeros(batch_size, num_hiddens)}
  end
  local function rnn(inputs, state, given)
    local call = {batch = inputs[1]:size(1), steps = #inputs, state = state[1]}
    log.calls[#log.calls + 1] = call
    assert.is_true(given == params)
    local h, outputs = state[1], {}
    for t, X in ipairs(inputs) do
      h = h + 1 + given[1]:sum() * 0
      outputs[t] = X:matmul(given[1]) + h:sum(2, true) * 0
    end
    call.out = h
    return outputs, {h}
  end
  return log, params, get_params, init_state, rnn
end

-- Arguments in the book's order, from a table with its names.
local function train_scratch(a)
  return d2l.train_and_predict_rnn(a.rnn, a.get_params, a.init_state, a.hiddens or 3, V, here(),
    a.indices, idx_to_char, char_to_idx, a.random, a.epochs or 1, a.steps or 5, a.lr or 0,
    a.theta or 1e9, a.batch or 2, a.period or 1, a.length or 2, a.prefixes or {}, a.reporter)
end

-- exp of the mean cross-entropy of the bigrams' next characters.
local function bigram_perplexity(weight, pairs_of_ids)
  local rows, sum = weight:detach():log_softmax(2):totable(), 0
  for _, pair in ipairs(pairs_of_ids) do sum = sum - rows[pair[1]][pair[2]] end
  return math.exp(sum / #pairs_of_ids)
end

-- What consecutive (or, all pieces used, random) sampling of 2 x 5 covers, as pairs of ids.
local function pairs_of(indices, batch, steps, random)
  local ids, list = indices:totable(), {}
  if random then
    for i = 1, (#ids - 1) // steps // batch * batch * steps do list[i] = {ids[i], ids[i + 1]} end
    return list
  end
  local columns = #ids // batch
  for row = 0, batch - 1 do
    for i = 1, (columns - 1) // steps * steps do
      list[#list + 1] = {ids[row * columns + i], ids[row * columns + i + 1]}
    end
  end
  return list
end

describe("train_and_predict_rnn", function()
  local weight

  before_each(function()
    gru.manual_seed(1)
    weight = gru.randn(V, V)
  end)

  local function setup(a)
    local log, params, get_params, init_state, rnn = bigrams(weight)
    a.get_params, a.init_state, a.rnn = get_params, init_state, rnn
    a.indices = a.indices or corpus(62)
    log.epochs = {}
    a.reporter = a.reporter or function(e) log.epochs[#log.epochs + 1] = e end
    return log, params
  end

  it("starts the state once an epoch, and carries it on detached, in consecutive sampling", eagerly(function()
    local a = {random = false, epochs = 3}
    local log = setup(a)
    train_scratch(a)
    assert.equal(1, log.got)
    assert.same({{2, 3, here()}, {2, 3, here()}, {2, 3, here()}}, log.starts)
    assert.equal(3 * 6, #log.calls) -- 31 columns, 6 batches of 5 steps an epoch
    for i, call in ipairs(log.calls) do
      local first = (i - 1) % 6 == 0
      assert.equal(2, call.batch)
      assert.equal(5, call.steps)
      assert.is_false(call.state.requires_grad)
      assert.equal(first and 0 or (i - 1) % 6 * 5, call.state[1][1]:item())
      assert.is_true(call.out.requires_grad)
    end
  end))

  it("starts the state at every batch in random sampling", eagerly(function()
    local a = {random = true, epochs = 2}
    local log = setup(a)
    train_scratch(a)
    local batch_starts = 0
    for _, start in ipairs(log.starts) do
      if start[1] == 2 then batch_starts = batch_starts + 1 end
    end
    assert.is_true(batch_starts == 12 or batch_starts == 14) -- the book's loop also starts every epoch
    assert.equal(12, #log.calls)
    for _, call in ipairs(log.calls) do assert.equal(0, call.state:abs():max():item()) end
  end))

  for _, random in ipairs {false, true} do
    it("reports exp of the mean loss: is_random_iter " .. tostring(random), function()
      local indices = corpus(61)
      local a = {random = random, epochs = 2, indices = indices}
      local log, params = setup(a)
      train_scratch(a)
      local want = bigram_perplexity(weight, pairs_of(indices, 2, 5, random))
      for i, e in ipairs(log.epochs) do
        assert.near(want, e.perplexity, 1e-5 * want)
        assert.equal(i, e.epoch)
        assert.equal(#pairs_of(indices, 2, 5, random), e.tokens)
        assert.equal("number", type(e.seconds))
        assert.is_true(e.seconds >= 0)
      end
      assert.equal(2, #log.epochs)
      equal(params[1]:detach(), weight) -- lr = 0
    end)
  end

  it("takes steps p - lr g min(1, theta / norm), not divided by the batch size", function()
    local indices = corpus(12) -- one batch of 2 x 5
    for _, theta in ipairs {1e9, 1e-2} do
      local a = {random = false, indices = indices, lr = 0.5, theta = theta}
      local _, params = setup(a)
      params[1] = nn.Parameter(weight:clone())
      train_scratch(a)
      local p = weight:clone():requires_grad_()
      local rows, targets = {}, {}
      for _, pair in ipairs(pairs_of(indices, 2, 5)) do
        rows[#rows + 1], targets[#targets + 1] = pair[1], pair[2]
      end
      nn.functional.cross_entropy(p[gru.tensor(rows)], gru.tensor(targets)):backward()
      local norm = p.grad:norm():item()
      assert.is_true(norm > 1e-2)
      local want = p:detach() - p.grad * (0.5 * math.min(1, theta / norm))
      same(params[1], nd.of(want), 1e-6)
      assert.is_true((want - weight):abs():max():item() > 1e-4)
    end
  end)

  it("learns", function()
    local a = {random = false, epochs = 30, lr = 5, theta = 1}
    local log = setup(a)
    train_scratch(a)
    assert.is_true(log.epochs[30].perplexity < 0.7 * log.epochs[1].perplexity)
  end)

  it("prints what the book prints", function()
    local a = {random = false, epochs = 5, period = 2, length = 4, prefixes = {"分开", "a"},
               reporter = false}
    local log = setup(a)
    a.reporter = nil
    local lines = printed(train_scratch, a)
    assert.equal(6, #lines)
    for i, epoch in ipairs {2, 4} do
      local line = lines[3 * i - 2]
      local number, perplexity, seconds = line:match(
        "^epoch (%d+), perplexity (%d+%.%d%d%d%d%d%d), time (%d+%.%d%d) sec$")
      assert.truthy(number, line)
      assert.equal(epoch, tonumber(number))
      assert.near(bigram_perplexity(weight, pairs_of(corpus(62), 2, 5)), tonumber(perplexity), 1e-4)
      assert.truthy(tonumber(seconds))
      for k, prefix in ipairs(a.prefixes) do
        local text = lines[3 * i - 2 + k]
        assert.equal(" - " .. prefix, text:sub(1, 3 + #prefix))
        assert.equal(3 + utf8.len(prefix) + 4, utf8.len(text))
      end
    end
    -- the texts come from states of their own, of one row
    local ones = 0
    for _, start in ipairs(log.starts) do ones = ones + (start[1] == 1 and 1 or 0) end
    assert.equal(4, ones)
  end)

  it("gives every epoch to a reporter, and prints nothing then", function()
    local seen = {}
    local a = {random = false, epochs = 5, period = 2, length = 3, prefixes = {"b"},
               reporter = function(e) seen[#seen + 1] = {e.epoch, e.report, e.predict("分开")} end}
    setup(a)
    assert.same({}, printed(train_scratch, a))
    assert.equal(5, #seen)
    for i, row in ipairs(seen) do
      assert.equal(i, row[1])
      assert.equal(i % 2 == 0, row[2])
      assert.equal(5, utf8.len(row[3]))
    end
  end)

  it("raises for a bad prefix before it trains", function()
    for _, bad in ipairs {"鑫", "", "\xff"} do
      local a = {random = false, prefixes = {"分开", bad}}
      local log = setup(a)
      raises("prefix '" .. bad .. "'", train_scratch, a)
      assert.equal(0, #log.calls)
    end
  end)

  it("raises for a text that is too short", function()
    local a = {random = false, indices = corpus(11)}
    setup(a)
    raises("11 characters are too few .* at least 12 are needed", train_scratch, a)
    a.random, a.indices = true, corpus(10)
    raises("10 characters are too few .* at least 11 are needed", train_scratch, a)
  end)
end)

-- ---- training with nn ---------------------------------------------------------------------------

local function train_model(model, a)
  return d2l.train_and_predict_rnn_pytorch(model, a.hiddens or 3, V, here(), a.indices or corpus(62),
    idx_to_char, char_to_idx, a.epochs or 1, a.steps or 5, a.lr or 0, a.theta or 1e9, a.batch or 2,
    a.period or 1, a.length or 2, a.prefixes or {}, a.reporter)
end

describe("train_and_predict_rnn_pytorch", function()
  -- As bigrams above; `wrap` makes the state of a tensor.
  local function make(wrap, unwrap)
    local Model = nn.Module:extend("Model")
    function Model:init()
      gru.manual_seed(1)
      self.weight = nn.Parameter(gru.randn(V, V))
      self.calls = {}
    end
    function Model:forward(X, state)
      local call = {X = X, state = state and unwrap(state)}
      if gru.is_grad_enabled() then self.calls[#self.calls + 1] = call end
      local h = call.state or gru.zeros(X:size(1))
      for _ = 1, X:size(2) do h = h + 1 + self.weight:sum() * 0 end
      call.out = h
      return gru.one_hot(X:t(), V):reshape(-1, V):matmul(self.weight), wrap(h)
    end
    return Model()
  end

  local function itself(x) return x end

  for kind, functions in pairs {
    tensor = {itself, itself},
    pair = {function(h) return {h, h} end, function(state) return state[2] end},
  } do
    it("carries the state across batches and epochs, detached: a " .. kind, eagerly(function()
      local model = make(table.unpack(functions))
      train_model(model, {epochs = 3, prefixes = {"a"}, reporter = function(e) e.predict "分开" end})
      assert.equal(18, #model.calls)
      assert.is_nil(model.calls[1].state)
      for i = 2, 18 do
        local state = model.calls[i].state
        assert.is_false(state.requires_grad)
        assert.same({(i - 1) * 5, (i - 1) * 5}, state:totable())
        assert.is_true(model.calls[i - 1].out.requires_grad)
      end
      -- consecutive sampling, the same batches in every epoch
      assert.same({2, 5}, model.calls[1].X.shape)
      equal(model.calls[1].X, model.calls[7].X)
      equal(model.calls[2].X[2], corpus(62):narrow(1, 31 + 6, 5))
    end))
  end

  it("reports exp of the mean loss", function()
    local model, seen = make(itself, itself), {}
    train_model(model, {epochs = 2, reporter = function(e) seen[#seen + 1] = e end})
    local want = bigram_perplexity(model.weight, pairs_of(corpus(62), 2, 5))
    assert.equal(2, #seen)
    for i, e in ipairs(seen) do
      assert.equal(i, e.epoch)
      assert.near(want, e.perplexity, 1e-5 * want)
      assert.equal(60, e.tokens)
    end
  end)

  it("takes Adam's steps along clipped gradients", function()
    local indices = corpus(23) -- two batches
    for _, theta in ipairs {1e9, 1e-3} do
      local model, other = make(itself, itself), make(itself, itself)
      train_model(model, {indices = indices, lr = 0.01, theta = theta, reporter = function() end})
      local adam = gru.optim.Adam(other:parameters(), {lr = 0.01})
      for X, Y in d2l.data_iter_consecutive(indices, 2, 5) do
        adam:zero_grad()
        nn.functional.cross_entropy(other(X), Y:t():reshape(-1)):backward()
        local norm = other.weight.grad:norm():item()
        if norm > theta then other.weight.grad:mul_(theta / norm) end
        adam:step()
      end
      same(model.weight, nd.of(other.weight), 1e-6)
      assert.equal(2, #other.calls)
    end
  end)

  it("learns with the article's model, and prints as the book does", function()
    gru.manual_seed(4)
    local model = d2l.RNNModel(nn.GRU(V, 8), V)
    local lines = printed(train_model, model, {hiddens = 8, epochs = 60, lr = 0.02, theta = 1, period = 30,
                                             length = 6, prefixes = {"分开", "b"}})
    assert.equal(6, #lines)
    local perplexity = {}
    for i = 1, 2 do
      local epoch, value = lines[3 * i - 2]:match "^epoch (%d+), perplexity (%d+%.%d+), time %d+%.%d%d sec$"
      assert.equal(30 * i, tonumber(epoch))
      perplexity[i] = tonumber(value)
      assert.equal(3 + 2 + 6, utf8.len(lines[3 * i - 1]))
      assert.truthy(lines[3 * i]:find "^ %- b")
    end
    assert.is_true(perplexity[2] < perplexity[1])
    assert.is_true(perplexity[2] < 3)
  end)

  it("raises for what does not fit before it trains", function()
    local model = d2l.RNNModel(nn.GRU(V, 8), V)
    raises("num_hiddens is 3, the model has 8", train_model, model, {})
    local fake = make(itself, itself)
    raises("prefix '鑫': the corpus has no '鑫' %(U%+946B%)", train_model, fake, {prefixes = {"a", "鑫"}})
    assert.equal(0, #fake.calls)
    raises("at least 12 are needed", train_model, fake, {indices = corpus(11)})
  end)
end)
