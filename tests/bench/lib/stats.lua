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

--- One list over another, number by number.
function stats.ratios(over, under)
  local list = {}
  for i, x in ipairs(over) do list[i] = x / under[i] end
  return list
end

return stats
