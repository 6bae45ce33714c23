--- The loop of training: epochs over data, with clipping, a schedule, validation, checkpoints.
--
--     local trainer = gru.train.Trainer {
--       model = model, loss = nn.CrossEntropyLoss(), optimizer = optimizer, data = loader,
--       validation = other_loader, clip = 1,
--       checkpoint = {path = "run.safetensors", best = "validation_loss"},
--     }
--     trainer:resume() -- where there is a checkpoint
--     local history = trainer:fit(20)
--
-- One epoch is, in this order: the data, in training mode; `validation` and `evaluate`; the scheduler;
-- `on_epoch`; the checkpoint.  A run that is resumed continues bit for bit as if it had not stopped,
-- provided that what it draws from comes from the generator or from a loader.
--
-- On CUDA, steps are repeated as graphs (gru.cuda.graph): what the model and the loss do in Lua is done anew
-- for each `fit`, and where parameters were frozen or thawed, not for each batch.  A loss that counts its
-- calls, or a rate of dropout that `on_epoch` changes, wants `gru.cuda.set_graphs(false)`.
-- @module gru.train.trainer
local checkpoint = require "gru.checkpoint"
local core = require "gru.core"
local evaluating = require "gru.evaluating"
local graph = require "gru.graph"
local map = require "gru.train.map"
local nn = require "gru.nn"
local Progress = require "gru.train.progress"
local read_options = require "gru.train.options"

local Trainer = {__name = "gru.Trainer"}
Trainer.__index = Trainer

--- A trainer.
-- @function Trainer
-- @usage local trainer = gru.train.Trainer {
--   model = model, loss = nn.MSELoss(), optimizer = optimizer, data = loader, clip = 1,
--   on_epoch = function(_, record) print(record.epoch, record.loss) end,
-- }
-- @tparam table options
--
-- * `model`: a module, called as `model(x)`; only its first result counts, unless `stateful`
-- * `loss`: `loss(output, y)`, a tensor with one element that is a mean
-- * `optimizer`
-- * `data`: a DataLoader, or a function that returns a new iterator over `x, y` each time it is called;
--   tensors are moved to the device of the parameters
-- * `stateful` (false): for recurrent models, trained through a window of time that moves (truncated
--   backpropagation): the model is called as `model(x, state)` and returns `output, state`; the state goes on
--   to the next batch, detached; it begins as nil in every epoch (`"epoch"`) or in the first one (`"run"`)
-- * `clip`: what the norm of all gradients is clipped to; or `{value = limit}`
-- * `scheduler`, and `schedule`: when it steps, `"epoch"` (default) or `"batch"`.  ReduceLROnPlateau is given
--   `validation_loss`, or else `loss`
-- * `validation`: data as above; gives `validation_loss`
-- * `evaluate`: `evaluate(model)` returns a table of numbers by name, which join the record of the epoch;
--   it runs unrecorded and in evaluation mode
-- * `checkpoint`: a path, written after every epoch; or `{path =, every = n, best = name, mode =
--   "min" | "max", best_path =}`: after every n-th and the last epoch, and the epoch with the best number of
--   that name to `best_path` (default: `run.best.safetensors` for `run.safetensors`)
-- * `metadata`: a plain table that goes into checkpoints, the vocabulary say
-- * `on_epoch`: `on_epoch(trainer, record)` after every epoch; the run ends when it returns false
-- * `progress`: by default a line on standard error where that is a terminal; true: one line an epoch,
--   anywhere; false: nothing
-- @return a trainer; its `epoch` is the number of epochs done, `history` the list of their records
local function new(_, options)
  local self = setmetatable(read_options(options), Trainer)
  self.epoch, self.history = 0, {}
  return self
end

-- ---- one pass over data --------------------------------------------------------------------------

-- Tensors to the device of the parameters.
local function moved(self, value)
  local device = self.optimizer.param_groups[1].params[1].device
  return map(value, function(x) return x:to(device) end)
end

local function detached(state) return map(state, function(x) return x:detach() end) end

-- The loss of a batch, and the state behind it.
local function loss_of(self, x, y, state)
  local output
  if self.stateful then
    output, state = self.model(x, detached(state))
  else
    output = self.model(x)
  end
  local loss = self.loss(output, y)
  if not core.is_tensor(loss) or loss:numel() ~= 1 then
    error("Trainer: the loss must be a tensor with one element, got "
      .. (core.is_tensor(loss) and "[" .. table.concat(loss.shape, ", ") .. "]" or type(loss)), 0)
  end
  return loss, state
end

-- The elements of y, by which the loss of its batch counts.
local function weight_of(y) return core.is_tensor(y) and y:numel() or 1 end

-- Goes over `data` once: step(sum, x, y, state) adds the loss of a batch, times the elements of its y, to
-- `sum`, which stays on the device until the end, and gives the state behind it; each(batch) follows.
-- @return the mean loss, the last state, the number of batches
local function pass(self, name, data, state, step, each)
  local sum, weight, batches = nil, 0, 0
  for x, y in data() do
    x, y = moved(self, x), moved(self, y)
    sum = sum or core.empty({}, "float64", self.optimizer.param_groups[1].params[1].device):fill_(0)
    state = step(sum, x, y, state)
    batches, weight = batches + 1, weight + weight_of(y)
    each(batches)
  end
  if batches == 0 then error(("Trainer: %s gave no batch"):format(name), 0) end
  return sum:item() / weight, detached(state), batches
end

local function add_loss(sum, loss, y) sum:add_(loss:detach():sum():to("float64") * weight_of(y)) end

local function parameters_of(optimizer)
  local list = {}
  for _, group in ipairs(optimizer.param_groups) do
    table.move(group.params, 1, #group.params, #list + 1, list)
  end
  return list
end

local function clip_gradients(clip, parameters)
  if clip and clip.norm then nn.utils.clip_grad_norm_(parameters, clip.norm) end
  if clip and clip.value then nn.utils.clip_grad_value_(parameters, clip.value) end
end

-- How many batches there will be, if that is known.
local function count_of(self)
  local n = type(self.data) == "table" and #self.data or 0
  return n > 0 and n or self.batches
end

-- One step of training: (sum, x, y, state, clip) -> state.
local function training_step(self)
  return function(sum, x, y, state, clip)
    local optimizer = self.optimizer
    local loss
    loss, state = loss_of(self, x, y, state)
    optimizer:zero_grad()
    loss:backward()
    clip_gradients(clip, parameters_of(optimizer))
    optimizer:step()
    add_loss(sum, loss, y)
    return state
  end
end

-- Data that is trained itself is no argument of a graph's.
local function requires_grad(value)
  local found = false
  map(value, function(x)
    found = found or x.requires_grad
    return x
  end)
  return found
end

-- The same, repeated as a graph where the data is on a CUDA device.
local function repeated_step(self)
  local plain = training_step(self)
  local total -- one for all epochs: a graph adds to it where it is
  local as_graph = graph(function(...) return plain(total, ...) end)
  return function(sum, x, y, state, clip)
    if sum.device == "cpu" or requires_grad(x) or requires_grad(y) then
      return plain(sum, x, y, state, clip)
    end
    if not total or total.device ~= sum.device then
      total = core.keep(core.empty({}, "float64", sum.device))
    end
    total:fill_(0)
    state = as_graph(x, y, detached(state), clip)
    sum:add_(total)
    return state
  end
end

-- Trains on all data once; gives the mean loss.  shown(batch) is called after every batch.
local function learn(self, shown)
  local first = self.stateful == "run" and self.state or nil
  self.step = self.step or repeated_step(self)
  self.model:train()
  local function step(sum, x, y, state) return self.step(sum, x, y, state, self.clip) end
  local loss, state, batches = pass(self, "data", self.data, first, step, function(batch)
    if self.schedule == "batch" and self.scheduler then self.scheduler:step() end
    shown(batch)
  end)
  self.state, self.batches = map(state, core.keep), batches
  return loss
end

-- ---- what follows an epoch -----------------------------------------------------------------------

local function nothing() end

local function validation_step(self)
  return function(sum, x, y, state)
    local loss
    loss, state = loss_of(self, x, y, state)
    add_loss(sum, loss, y)
    return state
  end
end

-- Adds what `validation` and `evaluate` find to the record.
local function look(self, record)
  local _ <close> = evaluating(self.model:modules())
  if self.validation then
    record.validation_loss = pass(self, "validation", self.validation, nil, validation_step(self), nothing)
  end
  local found = self.evaluate and self.evaluate(self.model) or {}
  if type(found) ~= "table" then
    error("Trainer: evaluate must return a table of numbers by name, got " .. type(found), 0)
  end
  for name, value in pairs(found) do
    if core.is_tensor(value) and value:numel() == 1 then value = value:item() end
    if type(name) ~= "string" or type(value) ~= "number" then
      error(("Trainer: evaluate must return numbers by name, got %s = a %s"):format(tostring(name),
        core.is_tensor(value) and "tensor" or type(value)), 0)
    elseif record[name] ~= nil then
      error(("Trainer: evaluate returned '%s', a name that is taken"):format(name), 0)
    end
    record[name] = value
  end
end

local function step_scheduler(self, record)
  local scheduler = self.scheduler
  if not scheduler or self.schedule ~= "epoch" then return end
  if scheduler.num_bad_epochs then -- ReduceLROnPlateau wants a number
    scheduler:step(record.validation_loss or record.loss)
  else
    scheduler:step()
  end
end

-- What a checkpoint of a trainer has a `state_dict` of.
local function objects_of(self)
  local data = type(self.data) == "table" and self.data.state_dict and self.data or nil
  return {
    model = self.model, optimizer = self.optimizer, scheduler = self.scheduler, data = data, trainer = self,
  }
end

local function save(self, path)
  local state = objects_of(self)
  state.metadata = self.metadata
  local ok, message = checkpoint.save(path, state)
  if not ok then error("Trainer: " .. message, 0) end
end

local function better(value, best, mode)
  if value ~= value then return false end
  if not best then return true end
  if mode == "min" then return value < best.value end
  return value > best.value
end

local function save_checkpoints(self, record, last)
  local options = self.checkpoint
  if not options then return end
  local value = options.best and record[options.best]
  if options.best and type(value) ~= "number" then
    error(("Trainer: checkpoint.best: the record has no number '%s'"):format(options.best), 0)
  end
  local is_best = value and better(value, self.best, options.mode)
  if is_best then self.best = {epoch = self.epoch, value = value} end
  if is_best then save(self, options.best_path) end
  if last or self.epoch % options.every == 0 then save(self, options.path) end
end

-- ---- the run -------------------------------------------------------------------------------------

-- One epoch; true where it is the last one.  Up to its end, `epoch` and `history` are of the one before.
local function run_epoch(self, epochs, progress)
  local epoch, total, start = self.epoch + 1, count_of(self), core.clock()
  local record = {epoch = epoch, lr = self.optimizer.param_groups[1].lr}
  record.loss = learn(self, function(batch) progress:batch(epoch, epochs, batch, total) end)
  record.seconds = core.clock() - start
  if record.loss ~= record.loss then
    error(("Trainer: the loss of epoch %d is NaN; a lower rate or clipping may help%s"):format(epoch,
      self.checkpoint and ". Checkpoints are those of the epochs before" or ""), 0)
  end
  look(self, record)
  step_scheduler(self, record)
  self.epoch, self.history[epoch] = epoch, record
  progress:epoch(record, epochs)
  local last = self.on_epoch and self.on_epoch(self, record) == false or epoch == epochs
  save_checkpoints(self, record, last)
  return last
end

--- Trains until `epochs` epochs are done in all: those of earlier calls and of the run that was resumed
-- count.
--
-- An error, an interrupt by Ctrl-C among them, ends it where it stands; the checkpoint that was written last
-- stays, whole.
-- @tparam integer epochs
-- @treturn table `trainer.history`, for every epoch `{epoch =, loss =, lr =, seconds =, ...}`;
-- `loss` is the mean over all batches, each counted by the elements of its `y`; `lr` is the rate of the
-- first group as the epoch began, `seconds` the time of training alone
function Trainer:fit(epochs)
  if math.type(epochs) ~= "integer" or epochs < 0 then
    error("fit: the number of epochs must be an integer from 0 on, got " .. tostring(epochs), 2)
  end
  local progress <close> = Progress.new(self.progress)
  self.step = nil -- graphs are captured anew
  local last = self.epoch >= epochs
  while not last do last = run_epoch(self, epochs, progress) end
  return self.history
end

--- Goes on from a checkpoint that a trainer of the same options wrote.
-- @tparam[opt] string path that of the option `checkpoint` unless given
-- @treturn[1] table what the checkpoint holds, as of `gru.checkpoint.load`
-- @treturn[2] nil
-- @treturn[2] string what failed, such as a file that is not there; nothing is changed then
function Trainer:resume(path)
  path = path or self.checkpoint and self.checkpoint.path
  if type(path) ~= "string" then
    error("resume: a path expected, or the option checkpoint; got " .. type(path), 2)
  end
  return checkpoint.restore(path, objects_of(self))
end

--- Where the run stands, without the model, the optimiser and so on: epoch, history, best, and where
-- `stateful` is "run" the recurrent state.
function Trainer:state_dict()
  return {
    epoch = self.epoch, history = self.history, best = self.best,
    state = self.stateful == "run" and self.state or nil,
  }
end

--- Takes over a state that `state_dict` gave.
function Trainer:load_state_dict(saved)
  if type(saved) ~= "table" or math.type(saved.epoch) ~= "integer" or type(saved.history) ~= "table" then
    error("Trainer: load_state_dict: what state_dict gave expected, got " .. type(saved), 2)
  end
  self.epoch, self.best, self.state = saved.epoch, saved.best, moved(self, saved.state)
  self.history = {table.unpack(saved.history)}
end

return setmetatable(Trainer, {__call = new})
