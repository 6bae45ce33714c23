local article = require "lib.article"
local stats = require "lib.stats"

-- A side of ours and one of PyTorch's for each way of running the step.
local function sides(ctx, half)
  local list = {}
  local args = {
    half = half, device = ctx.device, hidden = ctx.quick and 32 or article.HIDDEN, batch = article.BATCH,
    steps = article.STEPS, vocab = article.VOCAB, threads = 1,
    samples = ctx.quick and 1 or 5, count = ctx.quick and 3 or 50,
  }
  for _, mode in ipairs {"graph", "eager"} do
    args.mode = mode
    local ours = ctx:ours("iteration", args)
    ours.key, ours.title = mode, mode == "graph" and "in a graph" or "eager"
    list[#list + 1] = ours
  end
  for _, mode in ipairs(ctx.python and {"graph", "eager"} or {}) do
    args.mode = mode
    local peer = ctx:torch("iteration", args)
    peer.key, peer.is_rival = mode, nil
    list[#list + 1] = peer
  end
  return list
end

local function half_rows(ctx, half, rows)
  local list = sides(ctx, half)
  local turns = ctx:turns(list)
  for i = 1, 2 do
    if turns[i] then
      local peer = turns[i + 2]
      rows[#rows + 1] = {
        figure = ("%s, %s"):format(half, list[i].title), unit = "us", better = "less",
        ours = stats.summary(turns[i].seconds, 1e6), peer = peer and stats.summary(peer.seconds, 1e6),
      }
      if turns[i].nodes and turns[i].nodes[1] > 0 then
        rows[#rows + 1] = {
          figure = half .. ", nodes of the graph", unit = "", better = "less",
          ours = {median = turns[i].nodes[1]},
        }
      end
    end
  end
end

return {
  about = "a training iteration of the article's halves on a GPU, PyTorch run the same way beside it",
  run = function(ctx)
    local rows = {}
    for _, half in ipairs {"nn", "scratch"} do half_rows(ctx, half, rows) end
    return rows
  end,
}
