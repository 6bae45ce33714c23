--- What the benchmarks of the article share: its sizes, and figures of one half.
local flops = require "lib.flops"
local stats = require "lib.stats"

local article = {VOCAB = 1027, CHARS = 10000, HIDDEN = 256, BATCH = 32, STEPS = 35}

--- Iterations of an epoch, by consecutive sampling.
function article.iterations(chars)
  return (chars // article.BATCH - 1) // article.STEPS
end

--- Arguments of ours/article.lua and peers/article.py: `epochs` that count, after `warm` ones.
function article.arguments(ctx, half, epochs, warm, hidden)
  return {
    half = half, corpus = ctx.corpus, prefix = ctx.prefix, epochs = epochs + warm, warm = warm,
    hidden = hidden or (ctx.quick and 32 or article.HIDDEN), batch = article.BATCH, steps = article.STEPS,
    period = 1000,
  }
end

--- GFLOP of an epoch of the context's corpus.
function article.gflop(ctx, hidden)
  local iterations = article.iterations(math.min(ctx.chars, article.CHARS))
  return 1e-9 * iterations * flops.gru(article.BATCH, article.STEPS, hidden, ctx.vocab)
end

--- The rows of one half: its epoch against PyTorch's, threads, and the useful rate.
-- @return the rows, and the duel that they are from
function article.rows(ctx, half)
  local args = article.arguments(ctx, half, ctx.quick and 1 or 5, ctx.quick and 1 or 2)
  local duel, key = ctx:duel("article", args), "epoch_" .. half
  local rows = ctx:rows(duel, {
    {key = key, title = "epoch", unit = "ms", scale = 1e3},
    {
      key = key, title = "useful work", unit = "GFLOP/s", rate = true,
      scale = article.gflop(ctx, args.hidden),
    },
  })
  local one, two = duel.ours[1], duel.ours[2]
  if one and two then
    rows[#rows + 1] = {
      figure = "two threads over one", unit = "", better = "more",
      ours = {median = stats.median(one[key]) / stats.median(two[key])},
    }
  end
  return rows, duel
end

return article
