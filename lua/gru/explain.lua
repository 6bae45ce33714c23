--- In words: how recurrent layers run.
-- @module gru
local core = require "gru.core"

local explain = {}

-- What a module brings of a recurrent layer: the class with its op, how many times a call runs it.
local function sequence_of(m)
  if m.sequence then return m.sequence, 1 end
  if m.op and m.gates then return m, m.num_layers * m:directions() end
end

local function check_size(name, value)
  if math.type(value) ~= "integer" or value < 1 then
    error(("explain: %s must be a positive integer, got %s"):format(name, tostring(value)), 3)
  end
end

local function line_of(name, m, batch, steps)
  local class, runs = sequence_of(m)
  local weight = m.weight_hh or m.weight_hh_l0
  local text = core.explain(class.op, class.variant(m), weight.device, weight.dtype,
    m.sequence and 1 or steps, batch, m.hidden_size)
  local times = runs > 1 and (" (%d times)"):format(runs) or ""
  return ("%s on %s%s: %s"):format(name, weight.device, times, text)
end

--- Says how the recurrent layers of a module run on the devices they are on, and why not by a faster
-- way: a line for each RNN, LSTM, GRU and cell.
--
--     (model) on cuda:0: GRU after, float32, H 256, B 32: one fused kernel each step
--
-- On CUDA, GRU_CUDA_RECURRENCE=step or =fused in the environment forces one way where it can run.
-- @function explain
-- @param module `nn.RNN`, `nn.LSTM`, `nn.GRU`, one of the cells, or a module that holds such
-- @tparam[opt=1] integer batch rows of the batch
-- @tparam[opt=35] integer steps of the sequence; a cell has one
-- @treturn string
-- @usage print(gru.explain(nn.GRU(27, 64), 32))
function explain.explain(module, batch, steps)
  batch, steps = batch or 1, steps or 35
  if not require("gru.nn.module").is_module(module) then
    error(("explain: a module expected, got %s"):format(core.is_tensor(module) and "a tensor"
      or type(module)), 2)
  end
  check_size("batch", batch)
  check_size("steps", steps)
  local lines = {}
  for name, m in module:named_modules() do
    if sequence_of(m) then
      lines[#lines + 1] = line_of(name == "" and tostring(m) or name, m, batch, steps)
    end
  end
  if #lines == 0 then error("explain: there is no recurrent layer in the module", 2) end
  return table.concat(lines, "\n")
end

return explain
