-- gru.train.Trainer: checkpoints, and runs that go on from them, in this process and in another one.
local gru = require "gru"
local expect = require "tests.support.expect"
local new_scratch = require "tests.support.scratch"
local describe = require("tests.support.devices").describe

local nn, optim, Trainer = gru.nn, gru.optim, gru.train.Trainer

local PROGRAM = os.getenv "GRU_LUA" or "build/gru-lua"

local scratch, path
before_each(function()
  scratch = new_scratch()
  path = scratch.folder .. "/run.safetensors"
end)
after_each(function() scratch.remove() end)

local raises = expect.raises_text

-- A run that draws from everything there is: dropout, an order, a schedule, a state that goes on.
local run = [==[
local gru = require "gru"
local nn, optim = gru.nn, gru.optim

local Model = nn.Module:extend("Model")
function Model:init()
  self.embedding = nn.Embedding(9, 6)
  self.rnn = nn.LSTM(6, 8, {num_layers = 2, dropout = 0.2})
  self.head = nn.Linear(8, 9)
end
function Model:forward(inputs, state)
  local output
  output, state = self.rnn(self.embedding(inputs:t()), state)
  return self.head(output):reshape(-1, 9), state
end

return function(path, seed, generator)
  gru.manual_seed(seed, generator)
  local indices = (gru.arange(0, 200) % 7) * (gru.arange(0, 200) % 3) % 9 + 1
  local model = Model()
  local optimizer = optim.Adam(model:parameters(), {lr = 0.02})
  local loader = gru.data.DataLoader(gru.data.TensorDataset(indices:narrow(1, 1, 192):reshape(16, 12)),
    {batch_size = 4, shuffle = true, seed = 3})
  return gru.train.Trainer {
    model = model, optimizer = optimizer, stateful = "run", clip = 1, checkpoint = path,
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, 6), metadata = {names = {"a", "b"}},
    loss = function(logits, y) return nn.functional.cross_entropy(logits, y:t():reshape(-1)) end,
    data = setmetatable({
      state_dict = function() return loader:state_dict() end,
      load_state_dict = function(_, state) loader:load_state_dict(state) end,
    }, {__call = function()
      local batches = loader:batches()
      return function()
        local rows = batches()
        if rows then return rows:narrow(2, 1, 11), rows:narrow(2, 2, 11) end
      end
    end}),
  }
end
]==]
local new_run = load(run)()

local function fingerprint(trainer)
  local parts = {}
  for _, p in ipairs(trainer.model:parameters()) do
    for _, value in ipairs(p:reshape(-1):totable()) do parts[#parts + 1] = ("%a"):format(value) end
  end
  for epoch, record in ipairs(trainer.history) do
    parts[#parts + 1] = ("%d %a %a"):format(epoch, record.loss, record.lr)
  end
  return table.concat(parts, " ")
end

describe("a Trainer that resumes", function()
  for _, generator in ipairs {"philox", "torch"} do
    it("ends where the run that never stopped ends: " .. generator, function()
      local whole = new_run(path, 1, generator)
      whole:fit(6)
      local wanted = fingerprint(whole)
      new_run(path, 1, generator):fit(2)
      local resumed = new_run(path, 77)
      local saved = assert(resumed:resume())
      assert.equal(2, resumed.epoch)
      assert.same({names = {"a", "b"}}, saved.metadata)
      resumed:fit(3)
      resumed:fit(6)
      assert.equal(wanted, fingerprint(resumed))
    end)
  end

  it("ends there in another process, too", function()
    local whole = new_run(path, 1)
    whole:fit(5)
    local wanted = fingerprint(whole)
    local script = scratch.folder .. "/run.lua"
    scratch.write(script, ("require('gru').set_default_device('%s')\n"):format(gru.get_default_device())
      .. ("local new_run = (function()\n%s\nend)()\n"):format(run)
      .. "local trainer = new_run(arg[1], 1)\nif arg[2] == 'resume' then assert(trainer:resume()) end\n"
      .. "trainer:fit(math.tointeger(arg[3]))\n")
    for _, rest in ipairs {"new 2", "resume 5"} do
      local out, status = scratch.shell(("%s %s %s %s"):format(PROGRAM, script, path, rest))
      assert.equal(0, status, out)
      assert.equal("", out)
    end
    local resumed = new_run(path, 5)
    assert(resumed:resume())
    assert.equal(5, resumed.epoch)
    assert.equal(wanted, fingerprint(resumed))
  end)

  it("changes nothing where there is no checkpoint, or no right one", function()
    local trainer = new_run(path, 1)
    local before = fingerprint(trainer)
    local saved, message = trainer:resume()
    assert.is_nil(saved)
    assert.truthy(message:find(path, 1, true), message)
    assert(gru.save(path, {x = gru.ones(1)}))
    saved, message = trainer:resume()
    assert.is_nil(saved)
    assert.truthy(message:find("no checkpoint", 1, true), message)
    assert(gru.checkpoint.save(path, {model = trainer.model, optimizer = trainer.optimizer}))
    saved, message = trainer:resume()
    assert.is_nil(saved)
    assert.truthy(message:find("it holds no 'data'", 1, true), message)
    assert.equal(before, fingerprint(trainer))
    assert.equal(0, trainer.epoch)
  end)

  it("wants a path", function()
    local trainer = new_run(path, 1)
    trainer.checkpoint = nil
    raises("resume: a path expected, or the option checkpoint; got nil", trainer.resume, trainer)
    raises("Trainer: load_state_dict: what state_dict gave expected, got nil", trainer.load_state_dict,
      trainer)
  end)
end)

-- A trainer whose validation numbers are given.
local function scripted(options, numbers)
  gru.manual_seed(1)
  local model = nn.Linear(1, 1)
  return Trainer {
    model = model, optimizer = optim.SGD(model:parameters(), {lr = 0.1}), loss = nn.MSELoss(),
    data = function()
      local n = 0
      return function()
        n = n + 1
        if n == 1 then return gru.ones(2, 1), gru.zeros(2, 1) end
      end
    end,
    evaluate = function()
      local score = table.remove(numbers, 1)
      return {score = score}
    end,
    checkpoint = options,
  }
end

describe("checkpoints of a Trainer", function()
  local function epoch_of(file) return assert(gru.checkpoint.load(file)).trainer.epoch end

  it("come after every n-th epoch and the last one", function()
    local seen = {}
    local trainer = scripted({path = path, every = 3}, {1, 1, 1, 1, 1, 1, 1})
    trainer.on_epoch = function(_, record) -- runs before the checkpoint of its epoch
      seen[record.epoch] = gru.checkpoint.load(path) and epoch_of(path) or 0
    end
    trainer:fit(7)
    assert.same({0, 0, 0, 3, 3, 3, 6}, seen)
    assert.equal(7, epoch_of(path))
    trainer = scripted({path = path, every = 10}, {1, 1, 1})
    trainer.on_epoch = function(_, record) return record.epoch < 2 end
    trainer:fit(5)
    assert.equal(2, epoch_of(path))
  end)

  it("keep the best epoch, the lowest or the highest number", function()
    local best = scratch.folder .. "/run.best.safetensors"
    scripted({path = path, best = "score"}, {3, 1, 0 / 0, 2, 1}):fit(5)
    assert.equal(2, epoch_of(best))
    assert.equal(5, epoch_of(path))
    assert.same({epoch = 2, value = 1}, gru.checkpoint.load(path).trainer.best)
    scripted({path = path, best = "score", mode = "max"}, {3, 1, 5, 2}):fit(4)
    assert.equal(3, epoch_of(best))
    local other = scratch.folder .. "/other"
    scripted({path = path, best = "loss", best_path = other}, {1, 1, 1}):fit(3)
    assert.equal(3, epoch_of(other))
  end)

  it("know the best one also after a resume", function()
    scripted({path = path, best = "score"}, {3, 1, 2}):fit(3)
    local trainer = scripted({path = path, best = "score"}, {1.5, 0.5})
    assert(trainer:resume())
    trainer:fit(4)
    assert.equal(2, epoch_of(scratch.folder .. "/run.best.safetensors"))
    trainer:fit(5)
    assert.equal(5, epoch_of(scratch.folder .. "/run.best.safetensors"))
  end)

  it("stay whole when Ctrl-C ends the run", function()
    scratch.write(scratch.folder .. "/run.lua",
      ("local new_run = (function()\n%s\nend)()\n"):format(run) .. "local trainer = new_run(arg[1], 1)\n"
      .. "trainer.on_epoch = function(_, r)\n"
      .. "  if r.epoch == 3 then io.stdout:write('three\\n'):flush() end\nend\n"
      .. "trainer:fit(1000000)\n")
    -- (a shell lets what it starts in the background ignore the signal)
    local out = scratch.shell(([[
      mkfifo FOLDER/said
      env --default-signal=INT PROGRAM FOLDER/run.lua FOLDER/run.safetensors > FOLDER/said 2> FOLDER/errors &
      read line < FOLDER/said; kill -INT $!; wait $!; echo status $?; cat FOLDER/errors]])
      :gsub("%u%u%u+", {FOLDER = scratch.folder, PROGRAM = PROGRAM}))
    assert.truthy(out:find("status 130", 1, true), out)
    assert.truthy(out:find("interrupted!", 1, true), out)
    local trainer = new_run(path, 1)
    assert(trainer:resume())
    assert.is_true(trainer.epoch >= 2)
    assert.equal(trainer.epoch, #trainer.history)
    assert.equal("errors run.lua run.safetensors said ", scratch.list(scratch.folder))
    trainer:fit(trainer.epoch + 1)
  end)
end)
