--- How the next id is chosen from the scores of all.
-- @module gru.text.choose
local core = require "gru.core"

local choose = {}
local ops = core.functions

-- Raises where no choice can be made: NaN, or nothing but -inf.
local function check(largest)
  if largest ~= largest or largest == math.huge or largest == -math.huge then
    error(("generate: the largest of the model's logits is %s: no choice among them"):format(
      largest ~= largest and "nan" or largest), 0)
  end
end

--- The most likely one.
-- @param logits (size)
-- @treturn integer id
function choose.greedy(logits)
  local value, id = logits:max(1)
  check(value:item())
  return id:item()
end

--- A chooser that draws: from softmax(logits / temperature), cut down first to the `top_k` most likely
-- ids, then to the fewest of them whose chances reach `top_p` together.
--
-- The draw inverts the sum of the chances: the first id whose sum from the front passes u.
-- @tparam table options `temperature` (above 0), `top_k`, `top_p`
-- @tparam function uniform gives a u in [0, 1)
-- @treturn function from logits (size) to an id
function choose.sampler(options, uniform)
  local temperature, top_k, top_p = options.temperature, options.top_k, options.top_p
  return function(logits)
    local largest = logits:max()
    check(largest:item())
    local scores, ids = (logits:to("float64") - largest:to("float64")) / temperature, nil
    if top_k or top_p then -- the most likely ones first
      scores, ids = ops.topk(scores, math.min(top_k or scores:numel(), scores:numel()), 1, true)
    end
    local chances = scores:softmax(1)
    if top_p then chances = chances * (chances:cumsum(1) - chances):lt(top_p) end
    local sums = chances:cumsum(1)
    local place = sums:le(sums[-1] * uniform()):sum():item() + 1
    return ids and ids[place]:item() or place
  end
end

return choose
