local corpus = require "lib.corpus"

local BASE = {H = 256, T = 35, B = 32, L = 1}
local TITLES = {H = "hidden size", T = "steps", B = "batch", L = "layers"}

-- The base with one size after the other changed: {title, "H:T:B:L"}.
local function sizes(ctx)
  local list = {}
  local function add(key, values)
    for _, value in ipairs(values) do
      local s = setmetatable({[key] = value}, {__index = BASE})
      list[#list + 1] = {("%s %d"):format(TITLES[key], value), ("%d:%d:%d:%d"):format(s.H, s.T, s.B, s.L)}
    end
  end
  if ctx.quick then
    add("H", {16})
    return list
  end
  add("H", {64, 128, 256, 512, 1024})
  add("T", {16, 35, 128, 512})
  add("B", {1, 8, 32, 128, 256})
  add("L", {1, 2, 3, 4})
  return list
end

local function layers(ctx)
  local names, figures, seen = {}, {}, {}
  for _, size in ipairs(sizes(ctx)) do
    figures[#figures + 1] = {key = size[2], title = size[1], unit = "ms", scale = 1e3}
    if not seen[size[2]] then names[#names + 1] = size[2] end
    seen[size[2]] = true
  end
  local duel = ctx:duel("layers", {
    inputs = ctx.quick and 16 or 256, sizes = table.concat(names, ","), samples = ctx.quick and 1 or 5,
  })
  return ctx:rows(duel, figures)
end

-- Loading, and an epoch of a small model, a character: both should not depend on the size.
local function corpora(ctx, rows)
  for _, chars in ipairs(ctx.quick and {10000} or {10000, 100000, 1000000, 10000000}) do
    local path = ("%s/corpus-%d.txt"):format(ctx.scratch, chars)
    corpus.write_large(path, chars, 100, 1, 10000)
    local side = ctx:ours("loading", {
      corpus = path, samples = chars < 1000000 and 5 or 1, threads = math.max(table.unpack(ctx.threads)),
    })
    local turns = ctx:turns({side}, chars < 10000000 and ctx.rounds or 1)
    os.remove(path)
    local title = chars < 1000000 and ("%dk characters"):format(chars // 1000)
      or ("%dM characters"):format(chars // 1000000)
    for _, row in ipairs(ctx:rows({ours = {turns[1]}, peer = {}}, {
      {key = "loading", title = "loading, a character, " .. title, unit = "ns", scale = 1e9},
      {key = "epoch", title = "epoch of a small model, a character, " .. title, unit = "ns", scale = 1e9},
    })) do rows[#rows + 1] = row end
  end
end

return {
  about = "nn.GRU, forward and backward, around H = 256, T = 35, B = 32, one layer; corpora of all sizes",
  run = function(ctx)
    local rows = layers(ctx)
    corpora(ctx, rows)
    return rows
  end,
}
