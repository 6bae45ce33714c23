-- gru.train.Trainer: what an epoch does, in which order, and what it tells.
local gru = require "gru"
local expect = require "tests.support.expect"
local new_scratch = require "tests.support.scratch"
local devices = require "tests.support.devices"

local describe, eagerly = devices.describe, devices.eagerly
local nn, optim, Trainer = gru.nn, gru.optim, gru.train.Trainer
local here = gru.get_default_device

local raises = expect.raises_text

-- Points of two classes, 20 in batches of 6: the last batch is smaller.
local x = (gru.arange(0, 80) % 7):reshape(20, 4) / 7
local y = x:sum(2):gt(1.5):long() + 1

local function new_loader()
  return gru.data.DataLoader(gru.data.TensorDataset(x:to(here()), y:to(here())), {batch_size = 6})
end

local function new_model()
  gru.manual_seed(3)
  return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
end

-- A trainer of a new model; `more` are options.
local function new(more)
  local model = new_model()
  local options = {
    model = model, optimizer = optim.Adam(model:parameters(), {lr = 0.05}), loss = nn.CrossEntropyLoss(),
    data = new_loader(),
  }
  for name, value in pairs(more or {}) do options[name] = value end
  if type(options.scheduler) == "function" then options.scheduler = options.scheduler(options.optimizer) end
  return Trainer(options)
end

local function weights(trainer) return nn.utils.parameters_to_vector(trainer.model:parameters()):totable() end

describe("Trainer", function()
  it("does what a loop by hand does", function()
    local model = new_model()
    local optimizer = optim.Adam(model:parameters(), {lr = 0.05})
    local scheduler = optim.lr_scheduler.StepLR(optimizer, 2, 0.5)
    local losses = {}
    for epoch = 1, 3 do
      local sum = 0
      for inputs, targets in new_loader()() do
        optimizer:zero_grad()
        local loss = nn.functional.cross_entropy(model(inputs), targets)
        loss:backward()
        nn.utils.clip_grad_norm_(model:parameters(), 0.1)
        optimizer:step()
        sum = sum + loss:item() * #targets
      end
      scheduler:step()
      losses[epoch] = sum / 20
    end
    local trainer = new {
      clip = 0.1, scheduler = function(o) return optim.lr_scheduler.StepLR(o, 2, 0.5) end,
    }
    local history = trainer:fit(3)
    assert.equal(history, trainer.history)
    assert.same(nn.utils.parameters_to_vector(model:parameters()):totable(), weights(trainer))
    for epoch = 1, 3 do
      assert.equal(epoch, history[epoch].epoch)
      assert.equal(({0.05, 0.05, 0.025})[epoch], history[epoch].lr)
      assert.is_true(math.abs(losses[epoch] - history[epoch].loss) < 1e-6)
      assert.is_true(history[epoch].seconds >= 0)
    end
  end)

  it("reads the loss once an epoch", function()
    local methods, n = require("gru.core").methods, 0
    local item, totable = methods.item, methods.totable
    local function counted(f)
      return function(...)
        n = n + 1
        return f(...)
      end
    end
    local trainer = new {clip = 1}
    trainer:fit(1)
    methods.item, methods.totable = counted(item), counted(totable)
    local ok, message = pcall(trainer.fit, trainer, 3)
    methods.item, methods.totable = item, totable
    assert(ok, message)
    assert.equal(2, n)
  end)

  it("counts epochs in all, so that a second call goes on", function()
    local a, b = new(), new()
    a:fit(2)
    assert.equal(2, a.epoch)
    assert.equal(2, #a:fit(2))
    assert.equal(4, #a:fit(4))
    b:fit(4)
    assert.same(weights(a), weights(b))
    assert.same({}, new():fit(0))
  end)

  it("clips values, too", function()
    local biggest = 0
    local trainer = new {clip = {value = 1e-3}}
    local step = trainer.optimizer.step
    function trainer.optimizer.step(self)
      for _, p in ipairs(trainer.model:parameters()) do
        biggest = math.max(biggest, p.grad:abs():max():item())
      end
      step(self)
    end
    trainer:fit(1)
    assert.is_true(math.abs(biggest - 1e-3) < 1e-9)
  end)

  it("steps a schedule by batches where it is told to", function()
    local trainer = new {
      scheduler = function(o) return optim.lr_scheduler.ExponentialLR(o, 0.9) end, schedule = "batch",
    }
    trainer:fit(2)
    assert.is_true(math.abs(trainer.optimizer.param_groups[1].lr - 0.05 * 0.9 ^ 8) < 1e-12)
    assert.is_true(math.abs(trainer.history[2].lr - 0.05 * 0.9 ^ 4) < 1e-12)
  end)

  it("gives ReduceLROnPlateau the validation loss, or else the loss", function()
    for _, validation in ipairs {false, true} do
      local seen = {}
      local trainer = new {
        validation = validation and new_loader() or nil,
        scheduler = function(o)
          local plateau = optim.lr_scheduler.ReduceLROnPlateau(o)
          local step = plateau.step
          function plateau.step(self, metric)
            seen[#seen + 1] = metric
            step(self, metric)
          end
          return plateau
        end,
      }
      trainer:fit(2)
      for epoch = 1, 2 do
        assert.equal(trainer.history[epoch][validation and "validation_loss" or "loss"], seen[epoch])
      end
    end
  end)

  it("validates and evaluates unrecorded, in evaluation mode, and trains in training mode", eagerly(function()
    local modes = {}
    local trainer
    trainer = new {
      validation = new_loader(),
      loss = function(output, targets)
        modes[#modes + 1] = tostring(trainer.model.training) .. tostring(gru.is_grad_enabled())
        return nn.functional.cross_entropy(output, targets)
      end,
      evaluate = function(model)
        assert.equal(trainer.model, model)
        assert.is_false(model.training or gru.is_grad_enabled())
        return {accuracy = model(x:to(here())):argmax(2):cpu():eq(y):float():mean(), epoch_squared = 9}
      end,
    }
    trainer.model:eval()
    local record = trainer:fit(1)[1]
    assert.same({"truetrue", "truetrue", "truetrue", "truetrue", "falsefalse", "falsefalse", "falsefalse",
      "falsefalse"}, modes)
    assert.is_true(trainer.model.training and gru.is_grad_enabled())
    assert.equal("number", type(record.accuracy))
    assert.equal(9, record.epoch_squared)
    local wanted = gru.no_grad(function()
      return nn.functional.cross_entropy(trainer.model(x:to(here())), y:to(here())):item()
    end)
    assert.is_true(math.abs(wanted - record.validation_loss) < 1e-6)
  end))

  it("calls on_epoch after every epoch, and ends when it returns false", function()
    local seen = {}
    local trainer = new {
      on_epoch = function(self, record)
        assert.equal(self.history[#self.history], record)
        seen[#seen + 1] = self.epoch
        if record.epoch == 2 then return false end
      end,
    }
    assert.equal(2, #trainer:fit(5))
    assert.same({1, 2}, seen)
  end)

  it("moves tensors, also in tables, and takes data from a function", function()
    local Pair = nn.Module:extend("Pair")
    function Pair:init() self.dense = nn.Linear(4, 2) end
    function Pair:forward(pair) return self.dense(pair[1] * pair.scale) end
    local model = Pair()
    local closed = 0
    local trainer = Trainer {
      model = model, optimizer = optim.SGD(model:parameters(), {lr = 0.1}), loss = nn.CrossEntropyLoss(),
      data = function()
        local done = false
        local guard = setmetatable({}, {__close = function() closed = closed + 1 end})
        return function()
          if done then return nil end
          done = true
          return {x, scale = 2}, y
        end, nil, nil, guard
      end,
    }
    assert.equal(3, #trainer:fit(3))
    assert.equal(3, closed)
  end)
end)

-- ---- recurrent models ----------------------------------------------------------------------------

describe("a stateful Trainer", function()
  local indices = (gru.arange(0, 200) % 7) * (gru.arange(0, 200) % 3) % 9 + 1

  local function steps_first(logits, targets)
    return nn.functional.cross_entropy(logits, targets:t():reshape(-1))
  end

  local function new_stateful(stateful, layer, more)
    gru.manual_seed(2)
    local model = gru.d2l.RNNModel((layer or nn.GRU)(9, 12), 9)
    local options = {
      model = model, optimizer = optim.Adam(model:parameters(), {lr = 0.01}), loss = steps_first,
      stateful = stateful,
      data = function() return gru.text.consecutive_batches(indices, 4, 6) end,
    }
    for name, value in pairs(more or {}) do options[name] = value end
    return Trainer(options)
  end

  it("does what train_and_predict_rnn_pytorch does", function()
    local reported = {}
    gru.manual_seed(2)
    local model = gru.d2l.RNNModel(nn.GRU(9, 12), 9)
    gru.d2l.train_and_predict_rnn_pytorch(model, 12, 9, here(), indices, {}, {}, 3, 6, 0.01, 1e9, 4, 1, 1, {},
      function(e) reported[e.epoch] = e.perplexity end)
    local trainer = new_stateful("run")
    trainer:fit(3)
    assert.same(nn.utils.parameters_to_vector(model:parameters()):totable(), weights(trainer))
    for epoch = 1, 3 do
      assert.is_true(math.abs(reported[epoch] - math.exp(trainer.history[epoch].loss)) < 1e-5)
    end
  end)

  -- What states the model is given.
  local function states_of(stateful, layer)
    local trainer, seen = new_stateful(stateful, layer), {}
    local forward = trainer.model.forward
    function trainer.model.forward(self, inputs, state)
      if type(state) == "table" then
        for _, s in ipairs(state) do assert.is_false(s.requires_grad) end
      elseif state then
        assert.is_false(state.requires_grad)
      end
      seen[#seen + 1] = state and "on" or "new"
      return forward(self, inputs, state)
    end
    trainer:fit(2)
    return table.concat(seen, " ")
  end

  it("begins anew every epoch, or goes on; the state is detached", eagerly(function()
    local epoch = "new on on on on on on on"
    assert.equal(epoch .. " " .. epoch, states_of "epoch")
    assert.equal(epoch .. " " .. epoch:gsub("new", "on"), states_of "run")
    assert.equal(epoch .. " " .. epoch, states_of("epoch", nn.LSTM))
    assert.equal(epoch:gsub("on", "new") .. " " .. epoch:gsub("on", "new"), states_of(false))
  end))

  it("validates with a state of its own", function()
    local trainer = new_stateful("run", nn.GRU, {
      validation = function() return gru.text.consecutive_batches(indices, 2, 5) end,
    })
    trainer:fit(2)
    assert.same({1, 4, 12}, trainer.state.shape) -- not that of batches of 2
    assert.equal("number", type(trainer.history[2].validation_loss))
  end)

  it("learns a text", function()
    local words = "分开 不分开 我们一起走到海边 看 浪 花 "
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write(words:rep(20))
    file:close()
    local corpus = assert(gru.text.Corpus.from_file(path))
    os.remove(path)
    gru.manual_seed(4)
    local model = gru.d2l.RNNModel(nn.GRU(corpus.vocab.size, 32), corpus.vocab.size)
    local trainer = Trainer {
      model = model, optimizer = optim.Adam(model:parameters(), {lr = 0.02}), loss = steps_first, clip = 1,
      stateful = "epoch",
      data = function() return gru.text.consecutive_batches(corpus.indices, 4, 10) end,
    }
    local history = trainer:fit(40)
    assert.is_true(math.exp(history[1].loss) > 5)
    assert.is_true(math.exp(history[40].loss) < 1.1, math.exp(history[40].loss))
    local text = "分开 "
    for char in gru.text.generate(model, corpus.vocab, text, {length = 30}) do text = text .. char end
    assert.truthy(words:rep(3):find(text, 1, true), text)
  end)
end)

-- ---- what goes wrong -----------------------------------------------------------------------------

describe("Trainer says what is wrong:", function()
  it("losses, data and numbers that are none", function()
    local trainer = new {loss = function(output) return output end}
    raises("Trainer: the loss must be a tensor with one element, got [6, 2]", trainer.fit, trainer, 1)
    trainer = new {loss = print}
    trainer.loss = function() return 1 end
    raises("Trainer: the loss must be a tensor with one element, got number", trainer.fit, trainer, 1)
    trainer = new {data = function() return function() end end}
    raises("Trainer: data gave no batch", trainer.fit, trainer, 1)
    trainer = new {validation = function() return function() end end}
    raises("Trainer: validation gave no batch", trainer.fit, trainer, 1)
    trainer = new {evaluate = function() return 3 end}
    raises("Trainer: evaluate must return a table of numbers by name, got number", trainer.fit, trainer, 1)
    trainer = new {evaluate = function() return {a = "b"} end}
    raises("Trainer: evaluate must return numbers by name, got a = a string", trainer.fit, trainer, 1)
    trainer = new {evaluate = function() return {loss = 1} end}
    raises("Trainer: evaluate returned 'loss', a name that is taken", trainer.fit, trainer, 1)
    trainer = new {checkpoint = {path = "/nowhere/x", best = "accuracy"}}
    raises("Trainer: checkpoint.best: the record has no number 'accuracy'", trainer.fit, trainer, 1)
    trainer = new {checkpoint = "/nowhere/x"}
    raises("Trainer: save: ", trainer.fit, trainer, 1)
  end)

  it("a loss of NaN, before it reaches a checkpoint", function()
    local scratch = new_scratch()
    local path = scratch.folder .. "/run.safetensors"
    local trainer = new {checkpoint = path}
    trainer:fit(1)
    local before = scratch.read(path)
    trainer.loss = function(output) return (output * (0 / 0)):sum() end
    raises("Trainer: the loss of epoch 2 is NaN", trainer.fit, trainer, 2)
    assert.equal(1, trainer.epoch)
    assert.equal(before, scratch.read(path))
    scratch.remove()
  end)
end)
