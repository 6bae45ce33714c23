--- A training script of one's own: a GRU learns to add two numbers.
--
--     gru-lua examples/custom_training.lua [steps]
--
-- The input is a sequence such as "47+385", read character by character; after the last one the
-- network names the three digits of the sum.  Shorter numbers are padded with zeros, so that all
-- sequences of a batch have the same length.
local gru = require "gru"
local nn, optim = gru.nn, gru.optim

local STEPS = math.tointeger(tonumber(arg and arg[1] or 1500))
if not STEPS or STEPS < 1 then
  io.stderr:write("usage: gru-lua examples/custom_training.lua [steps]\n")
  os.exit(2, true)
end
local BATCH, HIDDEN, LARGEST = 128, 128, 499
local ALPHABET, DIGITS, ANSWER = "0123456789+", 3, 3

local id_of = {}
for i = 1, #ALPHABET do id_of[ALPHABET:sub(i, i)] = i end

-- ---- data ------------------------------------------------------------------------------

--- A batch of sums.
-- @return inputs, int64 (L, batch), ids of characters
-- @return targets, int64 (batch, 3), digits as ids from 1 on
local function make_batch(batch)
  local numbers = gru.randint(0, LARGEST + 1, {batch, 2}):totable()
  local inputs, targets = {}, {}
  for b, pair in ipairs(numbers) do
    local text = ("%0" .. DIGITS .. "d+%0" .. DIGITS .. "d"):format(pair[1], pair[2])
    inputs[b] = {}
    for i = 1, #text do inputs[b][i] = id_of[text:sub(i, i)] end
    local sum = ("%0" .. ANSWER .. "d"):format(pair[1] + pair[2])
    targets[b] = {}
    for i = 1, ANSWER do targets[b][i] = id_of[sum:sub(i, i)] end
  end
  return gru.tensor(inputs):t(), gru.tensor(targets)
end

-- ---- model ---------------------------------------------------------------------------------

local Adder = nn.Module:extend("Adder")

function Adder:init(hidden)
  self.rnn = nn.GRU(#ALPHABET, hidden)
  self.head = nn.Linear(hidden, ANSWER * 10)
end

--- @param x int64 (L, batch)
-- @return logits (batch * 3, 10)
function Adder:forward(x)
  local _, h_n = self.rnn(gru.one_hot(x, #ALPHABET))
  return self.head(h_n[1]):reshape(-1, 10)
end

--- The share of sums that are right in every digit.
local function accuracy(model, batch)
  local _ <close> = gru.no_grad()
  local x, y = make_batch(batch)
  local right = model(x):argmax(2):reshape(batch, ANSWER):eq(y):all(2)
  return right:float():mean():item()
end

-- ---- training ---------------------------------------------------------------------------------

gru.manual_seed(1)
local model = Adder(HIDDEN)
local criterion = nn.CrossEntropyLoss()
local optimizer = optim.Adam(model:parameters(), {lr = 3e-3})
print(model)

for step = 1, STEPS do
  local x, y = make_batch(BATCH)
  optimizer:zero_grad()
  local loss = criterion(model(x), y:reshape(-1))
  loss:backward()
  nn.utils.clip_grad_norm_(model:parameters(), 1)
  optimizer:step()
  if step % math.max(1, STEPS // 10) == 0 then
    print(("step %5d  loss %.4f  right %5.1f %%"):format(step, loss:item(), 100 * accuracy(model, 500)))
  end
end
