-- gru.d2l: the book's functions, one by one; its loops are for d2l_training_spec.lua.  That whole runs
-- have PyTorch's perplexities is for article_spec.lua.
local gru = require "gru"
local here = gru.get_default_device
local expect = require "tests.support.expect"
local nd = require "tests.support.nd"
local describe = require("tests.support.devices").describe

local d2l, nn = gru.d2l, gru.nn

local same, equal, raises = expect.values, expect.tensors, expect.raises

-- Six characters and a text of them.
local idx_to_char = {"a", "b", "c", "分", "开", " "}
local char_to_idx, V = {}, #idx_to_char
for i, char in ipairs(idx_to_char) do char_to_idx[char] = i end

describe("load_data_jay_lyrics", function()
  it("gives the first 10,000 characters of the bundled corpus", function()
    local indices, to_idx, to_char, size = d2l.load_data_jay_lyrics()
    assert.equal(10000, indices:numel())
    assert.equal("int64", indices.dtype)
    assert.equal(size, #to_char)
    assert.equal(size, indices:max():item())
    assert.equal(1, indices[1]:item())
    for id, char in ipairs(to_char) do assert.equal(id, to_idx[char]) end
    assert.truthy(to_idx["分"] and to_idx["开"] and to_idx["不"])
  end)

  it("takes a path and a number of characters", function()
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write("开\n分开a")
    file:close()
    local indices, to_idx, to_char, size = d2l.load_data_jay_lyrics(path)
    assert.same({1, 2, 3, 1, 4}, indices:totable())
    assert.same({"开", " ", "分", "a"}, to_char)
    assert.same({["开"] = 1, [" "] = 2, ["分"] = 3, a = 4}, to_idx)
    assert.equal(4, size)
    assert.equal(2, d2l.load_data_jay_lyrics(path, 2):numel())
    os.remove(path)
    raises("No such file", d2l.load_data_jay_lyrics, path)
  end)
end)

describe("to_onehot", function()
  it("gives a list over the steps of (batch, n_class)", function()
    local X = gru.tensor {{1, 3, 2}, {4, 4, 1}}
    local steps = d2l.to_onehot(X, 5)
    assert.equal(3, #steps)
    local ids = {{1, 4}, {3, 4}, {2, 1}}
    for _, step in ipairs(steps) do assert.is_true(step:is_one_hot()) end
    for t, step in ipairs(steps) do
      assert.equal("float32", step.dtype)
      same(step, nd.generate({2, 5}, function(i)
        return ids[t][(i - 1) // 5 + 1] == (i - 1) % 5 + 1 and 1 or 0
      end), 0)
    end
  end)

  it("raises for ids outside of the classes", function()
    raises("6.*1 %.%. 5", d2l.to_onehot, gru.tensor {{1, 6}}, 5)
    raises("0.*1 %.%. 5", d2l.to_onehot, gru.tensor {{1, 0}}, 5)
  end)
end)

describe("data_iter", function()
  it("has both ways of sampling under the book's names", function()
    local ids = gru.arange(1, 31)
    local count = 0
    for X, Y in d2l.data_iter_consecutive(ids, 2, 6, here()) do
      if count == 0 then assert.same({{1, 2, 3, 4, 5, 6}, {16, 17, 18, 19, 20, 21}}, X:totable()) end
      equal(X + 1, Y)
      count = count + 1
    end
    assert.equal(2, count)
    for X, Y in d2l.data_iter_random(ids, 2, 6, here()) do
      assert.same({2, 6}, X.shape)
      equal(X + 1, Y)
      count = count + 1
    end
    assert.equal(4, count)
  end)
end)

describe("grad_clipping", function()
  local function with_grads(...)
    local params = {}
    for i, g in ipairs {...} do
      params[i] = nn.Parameter(gru.zeros(#g, {dtype = "float64"}))
      params[i].grad = gru.tensor(g, {dtype = "float64"})
    end
    return params
  end

  it("scales by theta / norm, the norm of all of them together", function()
    local params = with_grads({3.0, 0.0}, {-4.0}, {12.0})
    d2l.grad_clipping(params, 0.01, here())
    for i, g in ipairs {{3, 0}, {-4}, {12}} do
      for k, v in ipairs(g) do assert.near(v * 0.01 / 13, params[i].grad[k]:item(), 1e-17) end
    end
  end)

  it("keeps gradients of a smaller norm, bit for bit", function()
    local params = with_grads({0.3, 0.1}, {-0.2})
    d2l.grad_clipping(params, 1, here())
    assert.same({0.3, 0.1}, params[1].grad:totable())
    assert.same({-0.2}, params[2].grad:totable())
    params = with_grads {0.0, 0.0}
    d2l.grad_clipping(params, 0.01)
    assert.same({0, 0}, params[1].grad:totable())
  end)

  it("scales in place and skips what has no gradient", function()
    local params = with_grads({30.0}, {40.0})
    params[3] = nn.Parameter(gru.zeros(2))
    local grad = params[1].grad
    d2l.grad_clipping(params, 5)
    assert.is_true(params[1].grad == grad)
    assert.near(3, grad:item(), 1e-15)
    assert.is_nil(params[3].grad)
    d2l.grad_clipping({params[3]}, 5)
    d2l.grad_clipping({}, 5)
  end)

  it("lets NaN be seen", function()
    local params = with_grads({0 / 0}, {1.0})
    d2l.grad_clipping(params, 0.01)
    assert.is_true(params[2].grad:isnan():item())
  end)
end)

describe("sgd", function()
  it("subtracts lr grad / batch_size", function()
    local p, q = nn.Parameter(gru.tensor {1.0, 2.0}), nn.Parameter(gru.tensor {3.0})
    p.grad = gru.tensor {4.0, -8.0}
    d2l.sgd({p, q}, 0.5, 4)
    assert.same({0.5, 3}, p:totable())
    assert.same({3}, q:totable())
    assert.same({4, -8}, p.grad:totable())
    assert.is_true(p.is_leaf and p.requires_grad)
    d2l.sgd({p}, 0.5, 1)
    assert.same({-1.5, 7}, p:totable())
  end)
end)

-- A network that says the id after the last one; it records what it is given.
local function counter()
  local calls = {}
  local function rnn(inputs, state, params)
    local step = {inputs = inputs, state = state, params = params, grad = gru.is_grad_enabled()}
    calls[#calls + 1] = step
    local outputs = {}
    for t, X in ipairs(inputs) do
      outputs[t] = gru.cat({X:narrow(2, V, 1), X:narrow(2, 1, V - 1)}, 2) * 3
    end
    step.new_state = {state[1] + 1}
    return outputs, step.new_state
  end
  return rnn, calls
end

describe("predict_rnn", function()
  local started
  local function init_state(batch_size, num_hiddens, device)
    started[#started + 1] = {batch_size, num_hiddens, device}
    return {gru.zeros(batch_size, num_hiddens)}
  end

  local function predict(prefix, length, rnn, params)
    return d2l.predict_rnn(prefix, length, rnn, params or {}, init_state, 7, V, here(), idx_to_char,
      char_to_idx)
  end

  before_each(function() started = {} end)

  it("feeds the prefix, then what was most likely", function()
    local rnn, calls = counter()
    local params = {}
    assert.equal("c分" .. "开 abc", predict("c分", 5, rnn, params))
    assert.same({{1, 7, here()}}, started)
    assert.equal(6, #calls) -- as in the book: length of the prefix + num_chars - 1
    local fed = {}
    for i, call in ipairs(calls) do
      assert.equal(1, #call.inputs)
      assert.same({1, V}, call.inputs[1].shape)
      fed[i] = call.inputs[1]:argmax():item()
      assert.is_true(call.params == params)
      assert.is_false(call.grad)
      if i > 1 then assert.is_true(call.state == calls[i - 1].new_state) end
    end
    assert.same({3, 4, 5, 6, 1, 2}, fed)
    assert.is_true(gru.is_grad_enabled())
  end)

  it("takes prefixes of one character, and no further characters", function()
    assert.equal("开 ", predict("开", 1, (counter())))
    assert.equal("开a", predict("开a", 0, (counter())))
  end)

  it("raises for prefixes that it cannot feed", function()
    local rnn, calls = counter()
    raises("prefix 'a鑫': the corpus has no '鑫' %(U%+946B%)", predict, "a鑫", 5, rnn)
    raises("prefix '': ", predict, "", 5, rnn)
    raises("prefix '\xff': ", predict, "\xff", 5, rnn)
    raises("prefix must be a string, got number", predict, 3, 5, rnn)
    assert.equal(0, #calls)
    assert.is_true(gru.is_grad_enabled())
  end)
end)

describe("predict_rnn_pytorch", function()
  it("feeds the prefix, then what was most likely; the state starts as nil", function()
    local fed, states = {}, {}
    local Model = nn.Module:extend("Model")
    function Model.forward(_, X, state)
      assert.same({1, 1}, X.shape)
      assert.equal("int64", X.dtype)
      assert.is_false(gru.is_grad_enabled())
      fed[#fed + 1], states[#states + 1] = X[1][1]:item(), state or "none"
      return gru.one_hot(X:reshape(1) % V + 1, V), gru.zeros(1) + #fed
    end
    assert.equal("c分开 a", d2l.predict_rnn_pytorch("c分", 3, Model(), V, here(), idx_to_char, char_to_idx))
    assert.same({3, 4, 5, 6}, fed)
    assert.equal("none", states[1])
    for i = 2, 4 do assert.equal(i - 1, states[i]:item()) end
  end)
end)

describe("RNNModel", function()
  it("puts a Linear on the layer, over one-hot input of (batch, steps)", function()
    gru.manual_seed(1)
    local rnn = nn.GRU(V, 4)
    local model = d2l.RNNModel(rnn, V)
    assert.truthy(tostring(model):find("^RNNModel%(\n  %(rnn%): GRU%(6, 4%)\n  %(dense%): Linear%("))
    local names = {}
    for name in model:named_parameters() do names[#names + 1] = name end
    assert.same({"rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.bias_ih_l0", "rnn.bias_hh_l0",
                 "dense.weight", "dense.bias"}, names)
    local X = gru.tensor {{1, 2, 3}, {6, 5, 4}}
    local logits, state = model(X)
    assert.same({6, V}, logits.shape)
    assert.same({1, 2, 4}, state.shape)
    -- rows go step by step: row (t - 1) * batch + b
    local output, h_n = rnn(gru.eye(V)[X:t()])
    same(logits, nd.of(model.dense(output):reshape(6, V)), 1e-6)
    same(state, nd.of(h_n), 1e-6)
    local again = model(X, state)
    same(again, nd.of(model.dense((rnn(gru.eye(V)[X:t()], h_n))):reshape(6, V)), 1e-6)
  end)

  it("takes layers of both directions", function()
    local model = d2l.RNNModel(nn.GRU(V, 4, {bidirectional = true}), V)
    assert.equal(8, model.hidden_size)
    assert.same({6, V}, (model(gru.tensor {{1, 2, 3}, {6, 5, 4}})).shape)
  end)
end)
