--- Medians and spreads of samples.
local stats = {}

--- The median of a list that is not empty.
function stats.median(list)
  local sorted = table.move(list, 1, #list, 1, {})
  table.sort(sorted)
  local middle = (#sorted + 1) // 2
  if #sorted % 2 == 1 then return sorted[middle] end
  return (sorted[middle] + sorted[middle + 1]) / 2
end

--- Median, smallest and largest of samples, each times `scale` (1), and how many there are.
function stats.summary(list, scale)
  scale = scale or 1
  local scaled = {}
  for i, x in ipairs(list) do scaled[i] = x * scale end
  return {
    median = stats.median(scaled), min = math.min(table.unpack(scaled)), max = math.max(table.unpack(scaled)),
    n = #scaled,
  }
end

--- The summary of 1 / x, times `scale`: what a rate is, from times.
function stats.rate(list, scale)
  local inverse = {}
  for i, x in ipairs(list) do inverse[i] = 1 / x end
  return stats.summary(inverse, scale)
end

--- Of two summaries, how many times as good the first one is: `better` is "less" or "more".
function stats.ratio(ours, peer, better)
  if better == "less" then return peer.median / ours.median end
  return ours.median / peer.median
end

--- The ratios of two lists' medians, round by round: each list holds equally many samples of every round.
function stats.ratios(over, under, rounds)
  local list, a, b = {}, #over // rounds, #under // rounds
  for r = 1, rounds do
    local x = table.move(over, (r - 1) * a + 1, r * a, 1, {})
    local y = table.move(under, (r - 1) * b + 1, r * b, 1, {})
    list[r] = stats.median(x) / stats.median(y)
  end
  return list
end

return stats
