--- A small generator of its own, so that specs draw the same numbers whatever else runs.
-- `local draw = rng(seed)`, then `draw()` is uniform in [0, 1), `draw(n)` an integer 1 .. n,
-- `draw(a, b)` uniform in [a, b).
return function(seed)
  local state = seed * 0x9E3779B97F4A7C15 + 0x1234567
  local function word()
    state = state * 6364136223846793005 + 1442695040888963407
    local x = state ~ (state >> 33)
    x = x * 0xff51afd7ed558ccd
    return x ~ (x >> 29)
  end
  word()
  return function(a, b)
    local unit = (word() >> 11) * 2.0 ^ -53
    if b then return a + (b - a) * unit end
    if a then return 1 + math.floor(unit * a) end
    return unit
  end
end
